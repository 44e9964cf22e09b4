#!/usr/bin/env bash
# What a wrong crop costs: crop_cost.sh RUN FACES [TWINAGE]
#
# FACES: cropped faces whose names begin with their age (UTKFace's), that RUN never saw. Each is cut anew,
# wider (as far as there is picture) or tighter, or moved to a side, and read. A table of the mean absolute error in
# years, and of how many of the crops `predict` warns of (where the model knows its training's crop).
set -euo pipefail
[ $# -ge 2 ] || { echo "usage: $0 RUN FACES [TWINAGE]" >&2; exit 2; }
run=$1 faces=$2 twinage=${3:-twinage}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

echo "| crop, times as wide | face moved by | MAE, years | warned of |"
echo "|---|---|---|---|"
while read -r margin shift; do
  rm -rf "$folder/cut"
  "$twinage" crop --whole "$faces" --margin "$margin" --shift "$shift,0" --out "$folder/cut" --threads 1 >"$folder/log" 2>&1 ||
    { [ -d "$folder/cut" ] && grep -q 'could not be read' "$folder/log"; } || { cat "$folder/log" >&2; exit 1; }
  "$twinage" predict "$run" --csv "$folder/cut" --threads 1 >"$folder/read.csv" 2>"$folder/log" || { cat "$folder/log" >&2; exit 1; }
  python3 - "$margin" "$shift" "$folder/read.csv" <<'PY'
import csv, os, sys
rows = list(csv.DictReader(open(sys.argv[3], newline="")))
error = [abs(float(r["age"]) - float(os.path.basename(r["image"]).split("_")[0])) for r in rows]
warned = sum("cropped unlike" in r["warnings"] for r in rows)
print(f"| {sys.argv[1]} | {sys.argv[2]} | {sum(error) / len(error):.2f} | {100 * warned / len(rows):.0f} % |", flush=True)
PY
done <<'ROWS'
1 0
0.65 0
0.8 0
0.9 0
1.1 0
1.25 0
1.5 0
2 0
1 0.05
1 0.1
1 0.2
ROWS
