#!/usr/bin/env bash
# Proves and measures device cuda on a machine with an NVIDIA GPU: builds, runs every kernel's test on
# the GPU, lets compute-sanitizer look where it is there, times kernels against cuBLAS and cuDNN and
# whole training steps, and writes gpu_check.md and gpu_check.json. Needs the CUDA toolkit, cmake and
# g++; a single call takes less than ten minutes.
#
#   tools/gpu_check.sh [--out FOLDER] [--minutes M] [--jobs N]
#       --out      where the two files go; default: benchmarks/results
#       --minutes  also train on synthetic faces for so long
#   tools/gpu_check.sh --pack
#       on a machine with the Debian packages: copies what the build needs of them to build/gpu_packages, to be taken
#       along to one that has none
set -euo pipefail
cd "$(dirname "$0")/.."

out=benchmarks/results minutes=0 jobs=$(nproc) packages=build/gpu_packages
while [ $# -gt 0 ]; do
  case $1 in
    --out) out=$2; shift 2 ;;
    --minutes) minutes=$2; shift 2 ;;
    --jobs) jobs=$2; shift 2 ;;
    --pack)
      rm -rf "$packages" && mkdir -p "$packages"
      for folder in fmt CLI nlohmann toml++ stb doctest; do
        [ -d "/usr/include/$folder" ] || { echo "no /usr/include/$folder: run tools/test.sh first, it installs the packages" >&2; exit 1; }
        cp -r "/usr/include/$folder" "$packages/"
      done
      cp /usr/include/{xxhash,zlib,zconf}.h "$packages/"
      cp "$(g++ -print-file-name=libz.a)" "$packages/"
      echo "headers for a machine without packages: $packages ($(du -sh "$packages" | cut -f1))"
      exit 0 ;;
    *) sed -n '2,12p' "$0" | sed 's/^# \{0,1\}//' >&2; exit 2 ;;
  esac
done
mkdir -p "$out" build
report=$out/gpu_check.md work=build/gpu_check
failed=0

say() { printf '\n== %s (%ds)\n' "$*" "$SECONDS"; }
note() { printf '%s\n' "$*" >>"$report"; }

nvcc=$(command -v nvcc || echo /usr/local/cuda/bin/nvcc)
[ -x "$nvcc" ] || { echo "nvcc was not found: install the CUDA toolkit or put its bin on PATH" >&2; exit 1; }
command -v nvidia-smi >/dev/null || { echo "nvidia-smi was not found: this machine has no NVIDIA driver, so nothing can be checked" >&2; exit 1; }
gpu=$(nvidia-smi --query-gpu=name,compute_cap,driver_version,memory.total --format=csv,noheader | head -1)
architecture=$(nvidia-smi --query-gpu=compute_cap --format=csv,noheader | head -1 | tr -d .)

say "build for sm_$architecture"
# Warnings of a compiler that nobody here has are not what is checked.
options=(-DCMAKE_BUILD_TYPE=Release -DTWINAGE_CUDA=ON -DTWINAGE_GPU_BENCHMARK=ON -DTWINAGE_WERROR=OFF
  "-DCMAKE_CUDA_ARCHITECTURES=$architecture-real" "-DCMAKE_CUDA_COMPILER=$nvcc")
[ -d /usr/include/fmt ] || {
  [ -d "$packages" ] || { echo "neither the Debian packages nor $packages are here: run tools/gpu_check.sh --pack on a machine that has them and bring the folder" >&2; exit 1; }
  options+=("-DTWINAGE_PACKAGES=$PWD/$packages")
}
command -v ninja >/dev/null && options+=(-G Ninja)
cmake -S . -B "$work" "${options[@]}" >"$work.log" 2>&1 || { mkdir -p "$work"; tail -30 "$work.log" >&2; exit 1; }
cmake --build "$work" -j "$jobs" --target twinage tests_kernels tests_train benchmark_gpu >>"$work.log" 2>&1 || { grep -E 'error|FAILED' "$work.log" | head -30 >&2; exit 1; }
build_seconds=$SECONDS

{
  echo "# Device cuda, checked on a GPU"
  echo
  echo "$(date -u +%Y-%m-%d), commit $(git rev-parse --short HEAD 2>/dev/null || echo unknown), by tools/gpu_check.sh."
  echo "GPU (name, compute capability, driver, memory): $gpu. $("$nvcc" --version | tail -2 | head -1)."
  echo "Build: $build_seconds s with $jobs jobs."
  echo
  echo "## Tests"
  echo
} >"$report"

# name, then a command: its last lines go into the report, its status too.
check() {
  local name=$1 log=$work/$2.log start=$SECONDS
  shift 2
  say "$name"
  if "$@" >"$log" 2>&1; then
    note "- $name: passed in $((SECONDS - start)) s; $(grep -E 'test cases|SUMMARY' "$log" | tail -1 | sed 's/\x1b\[[0-9;]*m//g')"
    grep -h 'was not tested' "$log" | sort -u | sed 's/^/  - /' >>"$report" || true
  elif grep -q 'Device not supported' "$log"; then
    note "- $name: **not run**: the tool does not support this machine's GPU."
  else
    failed=1
    note "- $name: **FAILED** after $((SECONDS - start)) s"
    { echo; echo '```'; tail -25 "$log" | sed 's/\x1b\[[0-9;]*m//g'; echo '```'; echo; } >>"$report"
  fi
  tail -4 "$log"
}

# The host looks at what a kernel wrote as soon as it is back.
kernels_on_gpu=(env TWINAGE_TEST_DEVICE=cuda CUDA_LAUNCH_BLOCKING=1)
check "every kernel's cases on the GPU" kernels "${kernels_on_gpu[@]}" timeout 120 "$work/tests/tests_kernels" --no-intro
# As the trainer works: streams, and the step recorded as a CUDA graph.
check "whole training steps, GPU against CPU" step env TWINAGE_TEST_DEVICE=cuda timeout 90 "$work/tests/tests_train" --no-intro -sf='*device_step*,*face_input*'
sanitizer=$(command -v compute-sanitizer || echo /usr/local/cuda/bin/compute-sanitizer)
if [ -x "$sanitizer" ]; then
  for tool in memcheck racecheck; do
    check "compute-sanitizer $tool, small cases" "$tool" "${kernels_on_gpu[@]}" timeout 60 \
      "$sanitizer" --tool "$tool" --error-exitcode 9 "$work/tests/tests_kernels" --no-intro \
      -tc='adadelta*,pool forward*,softmax*,distance*,matmul: an empty*,conv2d rungs*'
  done
else
  note "- compute-sanitizer is not here: **not run**."
fi

note ""
note "## Speed"
for math in fp32 tf32 bf16; do
  say "kernels and training step, $math"
  rm -f "$work/$math.json"  # of an earlier call
  if timeout 60 "$work/benchmarks/benchmark_gpu" --set v3 --batch 32 --math $math --json "$work/$math.json" >"$work/$math.log" 2>&1; then
    tail -2 "$work/$math.log"
  else
    failed=1
    echo "FAILED: $(tail -1 "$work/$math.log")"
  fi
  { echo; echo "### $math"; echo; echo '```'; cat "$work/$math.log"; echo '```'; } >>"$report"
done

if [ "$minutes" != 0 ]; then
  say "training for $minutes minutes"
  rm -rf "$work/train" "$work/val" "$work/run"
  "$work/twinage" synth --out "$work/train" --count 6000 --seed 1 >/dev/null 2>&1
  "$work/twinage" synth --out "$work/val" --count 600 --seed 2 >/dev/null 2>&1
  { echo; echo "## Training, $minutes minutes on synthetic faces"; echo; echo '```'; } >>"$report"
  "$work/twinage" train --data "$work/train" --val "$work/val" --device cuda --minutes "$minutes" --out "$work/run" 2>&1 | tail -5 | tee -a "$report"
  "$work/twinage" eval "$work/run" --data "$work/val" --device cuda 2>&1 | sed -n 1,4p | tee -a "$report"
  echo '```' >>"$report"
fi

gpus=$(nvidia-smi -L | wc -l)
if [ "$gpus" -gt 1 ] && ! command -v mpirun >/dev/null; then
  { echo; echo "## $gpus GPUs"; echo; echo "Together: **not run**, mpirun is not here."; } >>"$report"
elif [ "$gpus" -gt 1 ]; then
  say "several GPUs: the same bytes, and images a second"
  { echo; echo "## $gpus GPUs"; echo; echo "| GPUs | --exchange | images/s | bytes of one GPU's model |"; echo "|---:|---|---:|---|"; } >>"$report"
  export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
  rm -rf "$work/faces"
  "$work/twinage" synth --out "$work/faces" --count 1200 --seed 1 >/dev/null 2>&1
  for count in 1 2 4 8; do
    [ "$count" -le "$gpus" ] || continue
    for exchange in ordered nccl; do
      [ "$count $exchange" != "1 nccl" ] || continue
      run=$work/by$count$exchange
      rm -rf "$run"
      if mpirun -n "$count" "$work/twinage" train --data "$work/faces" --device cuda --batch 512 --set training.shards=8 \
        --set readout.gallery_max=64 --set training.validate_steps=100000 --set training.record_steps=20 --steps 100 --exchange $exchange --out "$run" >"$run.log" 2>&1; then
        # The last record: by then the step is a graph.
        rate=$(sed -n 's/.*"images_per_second": *\([0-9.]*\).*/\1/p' "$run/metrics.jsonl" | tail -1)
        same=$(cmp -s "$work/by1ordered/model.safetensors" "$run/model.safetensors" && echo equal || echo other)
        [ "$exchange $same" != "ordered other" ] || failed=1
        note "| $count | $exchange | ${rate:-?} | $same |"
      else
        failed=1
        note "| $count | $exchange | **FAILED**: $(tail -1 "$run.log") | |"
      fi
    done
  done
  tail -8 "$report"
fi

{
  printf '{"gpu": "%s", "commit": "%s", "failed": %s' "$gpu" "$(git rev-parse --short HEAD 2>/dev/null || echo unknown)" "$failed"
  for math in fp32 tf32 bf16; do
    [ -s "$work/$math.json" ] && printf ',\n"%s": %s' "$math" "$(cat "$work/$math.json")"
  done
  printf '}\n'
} >"$out/gpu_check.json"
say "done: $report and $out/gpu_check.json"
exit $failed
