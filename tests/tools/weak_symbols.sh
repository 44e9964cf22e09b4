#!/usr/bin/env bash
# The kernel sources are compiled twice into one binary, for device cuda and for device simt. Of a
# function that both objects define weakly (inline, a template) the linker keeps one, and where the
# two differ, one device silently runs the other's: at -O0, where nothing is inlined, a launch on the
# GPU once ran nothing at all. This compiles both objects of each source at -O0 and compares.
#   tests/tools/weak_symbols.sh                all kernel sources
#   tests/tools/weak_symbols.sh --some         every twelfth of them: what CI has the time for
#   tests/tools/weak_symbols.sh FILE.cu...     these only
# Ends with 77 (skipped) where nvcc is missing.
set -euo pipefail
cd "$(dirname "$0")/../.."

nvcc=$(command -v nvcc || true)
[ -n "$nvcc" ] || { [ ! -x /usr/local/cuda/bin/nvcc ] || nvcc=/usr/local/cuda/bin/nvcc; }
if [ -z "$nvcc" ] || ! command -v nm >/dev/null; then
  echo "nvcc or nm was not found: WEAK SYMBOLS OF cuda AND simt WERE NOT COMPARED"
  exit 77
fi
sources=(kernels/*/*_cuda.cu kernels/*/*/*_cuda.cu)
if [ "${1:-}" = --some ]; then
  all=("${sources[@]}") sources=()
  for ((i = 0; i < ${#all[@]}; i += 12)); do sources+=("${all[i]}"); done
elif [ $# -gt 0 ]; then
  sources=("$@")
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# What both may define: the languages' own, and functions whose header says the same in either
# compilation (it tests for no compiler). Whatever is new here has to be looked at first.
languages='DW\.ref\.__gxx_personality_v0|([^ (]* )*(const& )?std::|__gnu_cxx::|operator (new|delete)|dim3::dim3\('
headers='twinage::((Shape|View|ConstView|WorkspaceScope)::|(matrix|vector|ceil_div|round_up|workspace_floats|phase_axis|anchors_in|anchors_workspace)\()'
same_in_both="^(($languages)|($headers))"

weak() { nm -C --defined-only "$1" | awk '$2 ~ /^[WVu]$/ { $1 = $2 = ""; print substr($0, 3) }' | sort -u; }

shared=0
for source in "${sources[@]}"; do
  # PTX only: of the device's code nothing is looked at.
  "$nvcc" -std=c++20 -O0 -Xcompiler=-O0 -gencode arch=compute_90,code=compute_90 -I. \
    --expt-relaxed-constexpr -c "$source" -o "$work/cuda.o" 2>"$work/log" || { cat "$work/log"; exit 1; }
  "${CXX:-c++}" -std=c++20 -O0 -I. -DFMT_SHARED -Wno-unknown-pragmas -x c++ -c "$source" -o "$work/simt.o"
  weak "$work/cuda.o" >"$work/cuda"
  weak "$work/simt.o" >"$work/simt"
  both=$(comm -12 "$work/cuda" "$work/simt" | grep -Ev "$same_in_both" || true)
  [ -n "$both" ] || continue
  shared=1
  echo "$source: defined weakly by the objects of cuda and of simt; the linker keeps one of the two:"
  echo "${both//$'\n'/$'\n'  }" | sed '1s/^/  /'
done
[ "$shared" = 0 ] || exit 1
echo "compared the weak symbols of ${#sources[@]} sources, cuda and simt: none in common that differs"
