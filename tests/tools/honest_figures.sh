#!/usr/bin/env bash
# Figures that mean nothing are not given without a word: honest_figures.sh TWINAGE.
# `eval` on the faces of training, few held-out faces, no label of both genders, no face at all.
set -uo pipefail
twinage=$(realpath "$1")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1
failures=0

# said PATTERN COMMAND...: the output of a command that must succeed has a line like it.
said() {
  local pattern=$1
  shift
  if ! "$@" >out 2>err; then
    echo "FAILED: $*: $(tail -3 err)"
    failures=$((failures + 1))
  elif ! grep -qE -- "$pattern" out; then
    echo "FAILED: $* does not say /$pattern/:"
    head -20 out
    failures=$((failures + 1))
  fi
}
not_said() {
  if grep -qE -- "$1" out; then
    echo "FAILED: /$1/ is said: $(grep -E -- "$1" out | head -3)"
    failures=$((failures + 1))
  fi
}

"$twinage" synth --out faces --count 100 --seed 1 2>err >out || cat err
"$twinage" synth --out others --count 10 --seed 2 2>err >out || cat err
"$twinage" train --data faces --out run --steps 2 --batch 4 --set data.held_out=0.5 2>err || cat err
"$twinage" train --data faces --out few --steps 2 --batch 4 --set data.held_out_max=3 2>err || cat err
first=$(find faces -name '*.jpg' | sort | head -1)

# The faces of training, under other names too, are recognised, others are not.
mkdir renamed
for face in faces/*.jpg; do cp "$face" "renamed/$(basename "$face" .jpg)9.jpg"; done
for data in faces renamed; do
  said '^50 of 100 faces were trained on' "$twinage" eval run --data $data
  said '^50 of 100 faces were held out' "$twinage" eval run --data $data
done
said '"trained_on": 50' "$twinage" eval run --data faces --json
said '^all +10\*? ' "$twinage" eval run --data others
not_said 'trained on'
# A face that is there twice is measured once; the same with an age 30 years off is nobody's.
mkdir twice
for face in others/*.jpg; do cp "$face" twice && cp "$face" "twice/$(basename "$face" .jpg)9.jpg"; done
said '^all +10\*? ' "$twinage" eval run --data twice
one=$(find others -name '*.jpg' | sort | head -1)
cp "$one" "twice/99_$(basename "$one" | cut -d_ -f2-)"
said '^all +9\*? ' "$twinage" eval run --data twice
mkdir both
cp faces/*.jpg others/*.jpg both
said '^The 10 faces that it never saw' "$twinage" eval run --data both
said 'calibrated on 50 held-out faces to hold 80 %' "$twinage" eval run --data others

# From three held-out faces no interval is made.
said 'no interval: only 3 faces were held out' "$twinage" predict few "$first"
not_said '80 %'
said '"interval": null' "$twinage" predict --json few "$first"
said 'no interval: only 3' "$twinage" compare few "$first" "$(find others -name '*.jpg' | head -1)"
not_said '80 %'
said 'no interval: only 3' "$twinage" eval few --data others
said '"interval_share": null' "$twinage" eval few --data others --json

# Ages without genders: no gender is read, and nothing is said to be right.
{
  echo path,age
  find "$PWD/faces" -name '*.jpg' | awk -F/ '{ split($NF, part, "_"); print $0 "," part[1] }'
} >ages.csv
"$twinage" train --data ages.csv --out ages --steps 2 --batch 4 --set data.held_out=0.5 2>err || cat err
said 'no gender: ' "$twinage" predict ages "$first"
said '"gender": null' "$twinage" predict --json ages "$first"
said '"gender_accuracy": null' "$twinage" eval ages --data others --json
said 'gender: this model reads none' "$twinage" eval ages --data others

# What a network has no head for is not read, and what is left out is said.
"$twinage" train --data faces --out expectation --recipe expectation --steps 2 --batch 4 \
  --set data.held_out=0.5 2>err || cat err
said 'age [0-9]+ years \(80 %: [0-9]+ to [0-9]+\), (fe)?male' "$twinage" predict expectation "$first"
not_said 'nearest references'
said '"nearest": \[\]' "$twinage" predict --json expectation "$first"
said '"unlike_training": null' "$twinage" predict --json expectation "$first"
said '^50 of 100 faces were trained on' "$twinage" eval expectation --data faces
not_said 'are references'
said 'AUC: left out' "$twinage" eval expectation --data others
said '"same_class": null' "$twinage" eval expectation --data others --json
grep -q 'cannot tell a face from other pictures' err ||
  { echo "FAILED: eval does not say that any picture passes for a face"; failures=$((failures + 1)); }
said 'head age +101 outputs, loss cross-entropy' "$twinage" info expectation
not_said 'head embedding'
"$twinage" train --data faces --out no_gender --set model.heads=embedding --steps 2 --batch 4 \
  --set data.held_out=0.5 2>err || cat err
said 'no gender: ' "$twinage" predict no_gender "$first"
said 'nearest references' "$twinage" predict no_gender "$first"
said '"gender": null' "$twinage" predict --json no_gender "$first"
said 'gender: this model reads none' "$twinage" eval no_gender --data others

# A reference is recognised by predict and compare.
printf '%s\n' faces/*.jpg >list
mapfile -t all <list
said 'is a reference of the model' "$twinage" predict run "${all[@]}"
said '"origin": "held out"' "$twinage" predict --json run "${all[@]}"
said '"origin": "unseen"' "$twinage" predict --json run others/*.jpg
said '"unlike_training": (true|false)' "$twinage" predict --json run others/*.jpg

if [ "$failures" -gt 0 ]; then echo "$failures failed"; exit 1; fi
echo "nothing is claimed that is not known"
