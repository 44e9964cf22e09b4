#!/usr/bin/env bash
# A run that is killed with SIGKILL in mid-step and resumed ends in the same bytes as one that was
# not: kill_and_resume.sh TWINAGE
set -euo pipefail
twinage=$(realpath "$1")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

"$twinage" synth --out "$folder/faces" --count 60 --seed 5 2>/dev/null
train=("$twinage" train --data "$folder/faces" --steps 24 --batch 8 --seed 3
  --set training.checkpoint_steps=5 --set training.validate_steps=10)

"${train[@]}" --out "$folder/whole" --threads 2 2>/dev/null

"${train[@]}" --out "$folder/killed" --threads 1 2>/dev/null &
process=$!
for _ in $(seq 1 2000); do
  [ -e "$folder/killed/state.safetensors" ] && break
  sleep 0.01
done
[ -e "$folder/killed/state.safetensors" ] || { echo "no checkpoint was written"; exit 1; }
kill -KILL "$process"
wait "$process" 2>/dev/null && { echo "the run ended before it could be killed"; exit 1; }
[ ! -e "$folder/killed/model.safetensors" ] || { echo "the run ended before it could be killed"; exit 1; }

"$twinage" train --resume --out "$folder/killed" --threads 2 2>/dev/null
cmp "$folder/whole/model.safetensors" "$folder/killed/model.safetensors"
echo "killed and resumed: the model's bytes are the same"
