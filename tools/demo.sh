#!/usr/bin/env bash
# Does all the set-up on Debian 12, then the main job on faces it makes itself: train, evaluate on
# faces that were never trained on, read three pictures, make a page of it all.
#   tools/demo.sh [FOLDER] [MINUTES]      default: runs/demo, 3 minutes of training
set -euo pipefail
cd "$(dirname "$0")/.."
source tools/packages.sh
out=${1:-runs/demo}
minutes=${2:-3}

say() { printf '\n== %s\n' "$*"; }

if [ -e "$out" ]; then
  echo "$out is already there: delete it or name another folder: tools/demo.sh FOLDER" >&2
  exit 1
fi

say "packages and build"
tools/install_packages.sh "${packages_build[@]}"
cmake --preset release -DTWINAGE_TESTS=OFF -B build/demo >/dev/null
cmake --build build/demo -j "$(nproc)" --target twinage 2>&1 | { grep -E 'error|FAILED' || true; }
twinage=build/demo/twinage

say "faces to train on (seed 1) and others to measure with (seed 2)"
$twinage synth --out "$out/train" --count 6000 --seed 1
$twinage synth --out "$out/held_out" --count 600 --seed 2
$twinage data "$out/train"

say "training for $minutes minutes"
$twinage train --data "$out/train" --preset tiny --minutes "$minutes" --out "$out/run"

say "evaluation on the held-out faces"
$twinage eval "$out/run" --data "$out/held_out" --out "$out/eval.json"

say "three of them"
mapfile -t faces < <(find "$out/held_out" -name '*.jpg' | sort | awk 'NR % 200 == 100')
$twinage predict "$out/run" "${faces[@]}"
printf '\n(the number at the start of each name is the true age; then 0 = male, 1 = female)\n'

say "a page to look at: $out/report.html"
$twinage report "$out/run" --data "$out/held_out" --out "$out/report.html"
