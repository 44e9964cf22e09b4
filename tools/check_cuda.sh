#!/usr/bin/env bash
# Compiles every CUDA kernel with nvcc for the GPUs below; a kernel whose registers spill to memory
# is an error. Writes what ptxas says of each to benchmarks/results/kernels-nvcc.md. Needs no GPU.
#   tools/check_cuda.sh                    all kernels
#   tools/check_cuda.sh FILE.cu...         these only; the table goes to the terminal
set -euo pipefail
cd "$(dirname "$0")/.."
table=benchmarks/results/kernels-nvcc.md
architectures=(80 90 100 120)
jobs=$(nproc)

nvcc=$(command -v nvcc || true)
[ -n "$nvcc" ] || { [ ! -x /usr/local/cuda/bin/nvcc ] || nvcc=/usr/local/cuda/bin/nvcc; }
if [ -z "$nvcc" ]; then
  echo "nvcc was not found: NO CUDA KERNEL WAS COMPILED. Install the CUDA toolkit to check them."
  exit 0
fi

if [ $# -gt 0 ]; then
  sources=("$@")
  table=""
else
  sources=(kernels/*/*_cuda.cu)
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# What ptxas says of every kernel of one source, and its PTX, whose .maxntid is the block size that a
# kernel declares with __launch_bounds__.
compile() {
  local source=$1 architecture codes=()
  local out=$work/$(basename "$source" .cu)
  mkdir "$out"
  for architecture in "${architectures[@]}"; do
    codes+=(-gencode "arch=compute_$architecture,code=sm_$architecture")
  done
  if ! "$nvcc" -std=c++20 "${codes[@]}" -I. --expt-relaxed-constexpr --keep --keep-dir "$out" \
    -Xptxas -v -c "$source" -o "$out/object.o" >"$out/log" 2>&1; then
    { echo "$source does not compile:"
      grep -E 'error|warning' "$out/log" || cat "$out/log"; } >&2
    return 1
  fi
}

failed=0 running=0
for source in "${sources[@]}"; do
  compile "$source" &
  if ((++running >= jobs)); then
    wait -n || failed=1
    running=$((running - 1))
  fi
done
for _ in $(seq "$running"); do wait -n || failed=1; done
[ "$failed" = 0 ] || exit 1

# What an SM of each architecture holds: CUDA C++ Programming Guide, "Technical Specifications per
# Compute Capability". Registers: 65536 everywhere, given to a warp in units of 256; shared memory:
# 1 kB of each block is the system's, the rest in units of 128 bytes.
rows() {
  awk -v source="$1" '
    BEGIN {
      threads["80"] = threads["90"] = threads["100"] = 2048; threads["120"] = 1536
      blocks["80"] = blocks["90"] = blocks["100"] = 32; blocks["120"] = 24
      shared["80"] = 164 * 1024; shared["90"] = shared["100"] = 228 * 1024; shared["120"] = 100 * 1024
    }
    function up(x, unit) { return int((x + unit - 1) / unit) * unit }
    function least(a, b) { return a < b ? a : b }
    function occupancy(block, registers, bytes,    warps, most) {
      warps = int((block + 31) / 32)
      most = least(blocks[architecture], int(threads[architecture] / 32 / warps))
      # Four schedulers with a quarter of the registers each.
      most = least(most, int(4 * int(16384 / up(registers * 32, 256)) / warps))
      most = least(most, int(shared[architecture] / (up(bytes, 128) + 1024)))
      return int(100 * most * warps / (threads[architecture] / 32) + 0.5)
    }
    FILENAME ~ /\.ptx$/ && /\.entry/ { entry = $0; sub(/.*\.entry /, "", entry); sub(/\(.*/, "", entry) }
    FILENAME ~ /\.ptx$/ && /\.maxntid/ { gsub(/[,;]/, " "); bound[entry] = $2 * $3 * $4 }
    FILENAME ~ /\.ptx$/ { next }
    /Compiling entry function/ { split($0, part, "\047"); kernel = part[2]; architecture = substr(part[4], 4) }
    /bytes spill stores/ { spills = $5 + $9 }
    /Used [0-9]+ registers/ {
      registers = bytes = 0
      for (i = 2; i <= NF; i++) {
        if ($i ~ /^registers/) registers = $(i - 1)
        if ($i ~ /^smem/) bytes = $(i - 2)
      }
      printf "%s\t%s\t%d\t%d\t%d\t%d\t%d\t%s\n", source, kernel, architecture, bound[kernel], registers,
             bytes, spills, bound[kernel] ? occupancy(bound[kernel], registers, bytes) " %" : "?"
    }' "$2"/*.ptx "$2/log"
}

# "void twinage::cuda::(anonymous namespace)::apply<4, true>(View, ...)" -> "apply<4, true>"
short_names() {
  c++filt | sed -E 's/\(anonymous namespace\):://g; s/\t(void )?(twinage::)?(cuda::)?/\t/; s/\([^\t]*\)\t/\t/'
}

{
  echo "# What nvcc makes of the CUDA kernels"
  echo
  echo "Written by \`tools/check_cuda.sh\` with nvcc $("$nvcc" --version | sed -n 's/.*release.*V//p'). No GPU ran"
  echo "anything for this table: occupancy is the share of an SM's warps that its registers, shared"
  echo "memory and blocks allow at the largest block a kernel declares, without the dynamic shared"
  echo "memory of a launch."
  echo
  echo "| file | kernel | sm | threads | registers | static shared, bytes | spilled, bytes | occupancy |"
  echo "|---|---|---:|---:|---:|---:|---:|---:|"
  for source in "${sources[@]}"; do
    name=$(basename "$source" .cu)
    rows "$name" "$work/$name" | short_names | sort -t $'\t' -k2,2 -k3,3n
  done | awk -F '\t' '{ printf "| %s | `%s` | %s | %s | %s | %s | %s | %s |\n", $1, $2, $3, $4, $5, $6, $7, $8 }'
} >"$work/table.md"
if [ -n "$table" ]; then cp "$work/table.md" "$table"; else cat "$work/table.md"; fi
spilled=$(awk -F '|' '$8 + 0 > 0 { print "SPILLED:" $2 $3 "sm_" $4 + 0 ", bytes:" $8 }' "$work/table.md")
if [ -n "$spilled" ]; then
  echo "$spilled" >&2
  exit 1
fi
kernels=$(grep -c '^| .*_cuda' "$work/table.md")
echo "compiled ${#sources[@]} sources for sm_${architectures[*]}: $((kernels / ${#architectures[@]})) kernels, no spills"
