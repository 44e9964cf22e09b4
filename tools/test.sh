#!/usr/bin/env bash
# Does all the set-up on Debian 12 and runs all tests:
#   tools/test.sh           everything: three builds, the formatter, and nvcc where it is found
#   tools/test.sh quick     the release build's tests only, without faults on purpose
set -euo pipefail
cd "$(dirname "$0")/.."
source tools/packages.sh
jobs=$(nproc)

step() { printf '\n== %s (%ds)\n' "$*" "$SECONDS"; }

build() {  # preset, then arguments of cmake --build
  local preset=$1
  shift
  cmake --build --preset "$preset" -j "$jobs" "$@" 2>&1 | { grep -E 'error:|warning:|FAILED|^ninja:' || true; }
}

# Tests write many files and flush each to the disk; in memory, where there is room, that takes no
# time.
if [ -z "${TMPDIR:-}" ] && [ "$(df --output=avail -k /dev/shm 2>/dev/null | tail -1)" -gt 3000000 ] 2>/dev/null &&
  ! findmnt -no OPTIONS /dev/shm | grep -q noexec; then
  export TMPDIR=/dev/shm
fi

step "packages"
if [ "${1:-}" = quick ]; then
  tools/install_packages.sh "${packages_build[@]}" python3
else
  tools/install_packages.sh "${packages_build[@]}" "${packages_test[@]}"
fi

step "release build (g++), every test, every instruction set, every access of kernels on simt"
# With device cuda where nvcc is found, for one of the GPUs that are looked after (all of them:
# tools/check_cuda.sh); the binary then runs on a machine without a GPU, too.
cmake --preset release -DTWINAGE_GPU_BENCHMARK=ON -DTWINAGE_PCH=ON \
  -DCMAKE_CUDA_ARCHITECTURES=90 | { grep nvcc || true; }
build release
if [ "${1:-}" = quick ]; then
  ctest --preset release -j "$jobs" -LE 'faults|checked'
  exit 0
fi
ctest --preset release -j "$jobs"

step "AddressSanitizer + UndefinedBehaviorSanitizer"
cmake --preset debug >/dev/null
# All but the commands themselves, which take the compiler as long as half of the rest, and the CUDA
# kernels on device simt, whose every access kernels_checked has looked at; with these:
# cmake --build --preset debug && ctest --preset debug.
build debug --target tests_core tests_kernels tests_layers tests_siamese tests_train tests_fuzz
ctest --preset debug -j "$jobs" -E '^(tools|bad_input|kernels_simt.*)$'

step "ThreadSanitizer (clang++)"
cmake --preset tsan >/dev/null
build tsan --target tests_core tests_kernels tests_train
ctest --preset tsan -j "$jobs" -L threads

step "formatting, and that the documents quote the code as it is"
git ls-files '*.h' '*.cpp' '*.cu' | xargs clang-format --dry-run --Werror
tests/tools/docs_quote_code_test.py
tests/tools/docs_quote_code.py build/release/twinage

if [ -d build/release/CMakeFiles/twinage_kernels_cuda.dir ]; then
  printf '\nnvcc compiled every CUDA kernel for sm_90; the registers of none spill to memory\n'
else
  printf '\nnvcc was not found: NO CUDA KERNEL WAS COMPILED. Install the CUDA toolkit to check them.\n'
fi
printf '\nall tests passed in %d min %02d s\n' $((SECONDS / 60)) $((SECONDS % 60))
