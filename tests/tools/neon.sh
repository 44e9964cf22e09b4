#!/usr/bin/env bash
# The kernels for 64-bit ARM, tested on another machine: neon.sh [TEST OPTION...]
#
# Compiles all up to the network for NEON from the same sources, and runs their tests with qemu, which computes as an
# ARM processor does and says nothing about speed. Left out are the faults planted in CUDA kernels, whose lines in the
# source only the processor's own addr2line finds. Arguments are doctest's, say --source-file=*pool_test*. Installs
# what it needs (root), or says what is missing.
set -euo pipefail
cd "$(dirname "$0")/../.."
needed=(g++-aarch64-linux-gnu qemu-user libfmt-dev:arm64 zlib1g-dev:arm64)
if ! dpkg -s "${needed[@]}" >/dev/null 2>&1; then
  [ "$(id -u)" = 0 ] || { echo "missing: ${needed[*]} (after dpkg --add-architecture arm64)" >&2; exit 77; }
  dpkg --add-architecture arm64
  apt-get update -qq
  apt-get install -y -qq "${needed[@]}" >/dev/null
fi
cmake --preset neon >/dev/null
cmake --build --preset neon -j "$(nproc)" --target tests_core tests_kernels tests_layers tests_siamese
for folder in core kernels layers siamese; do
  # Without -L: of the ARM libraries only Debian's own (multiarch) start threads under this qemu.
  qemu-aarch64 "build/neon/tests/tests_$folder" --no-intro --source-file-exclude="*simt_faults*" "$@"
done
