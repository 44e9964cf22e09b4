#!/usr/bin/env bash
# Does all the set-up on Debian 12 and runs all tests:
#   tools/test.sh           everything: four builds, the formatter, and nvcc where it is found
#   tools/test.sh quick     the release build's tests only
set -euo pipefail
cd "$(dirname "$0")/.."
source tools/packages.sh
jobs=$(nproc)

step() { printf '\n== %s (%ds)\n' "$*" "$SECONDS"; }

build_and_test() {  # preset, then arguments of ctest
  local preset=$1
  shift
  # nvcc has a step of its own below.
  cmake --preset "$preset" -DTWINAGE_CUDA=OFF >/dev/null
  cmake --build --preset "$preset" -j "$jobs" 2>&1 | { grep -E 'error:|warning:|FAILED|^ninja:' || true; }
  ctest --preset "$preset" -j "$jobs" "$@"
}

step "packages"
if [ "${1:-}" = quick ]; then
  tools/install_packages.sh "${packages_build[@]}"
else
  tools/install_packages.sh "${packages_build[@]}" "${packages_test[@]}"
fi

step "release build (g++), every test, every instruction set of this processor"
build_and_test release

if [ "${1:-}" = quick ]; then exit 0; fi

step "AddressSanitizer + UndefinedBehaviorSanitizer"
build_and_test debug

step "ThreadSanitizer (clang++)"
build_and_test tsan -L threads

step "device simt, every access of every kernel checked"
cmake --preset simt-check >/dev/null
cmake --build --preset simt-check -j "$jobs" --target tests_kernels 2>&1 | { grep -E 'error:|warning:|FAILED|^ninja:' || true; }
ctest --preset simt-check -R kernels_simt

step "formatting"
git ls-files '*.h' '*.cpp' '*.cu' | xargs clang-format --dry-run --Werror

step "CUDA kernels through nvcc"
tools/check_cuda.sh
printf '\nall tests passed in %d min %02d s\n' $((SECONDS / 60)) $((SECONDS % 60))
