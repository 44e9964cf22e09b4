#!/usr/bin/env bash
# A run that is killed with SIGKILL in mid-step and resumed ends in the same bytes as one that was
# not, dropout's masks included (alexnet-tiny): kill_and_resume.sh TWINAGE
set -euo pipefail
twinage=$(realpath "$1")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

"$twinage" synth --out "$folder/faces" --count 60 --seed 5 2>/dev/null

kill_and_resume() {
  local preset=$1 whole="$folder/$1-whole" killed="$folder/$1-killed"
  local train=("$twinage" train --data "$folder/faces" --preset "$preset" --steps 24 --batch 8
    --seed 3 --set training.checkpoint_steps=5 --set training.validate_steps=10)

  "${train[@]}" --out "$whole" --threads 2 2>/dev/null

  "${train[@]}" --out "$killed" --threads 1 2>/dev/null &
  local process=$!
  for _ in $(seq 1 2000); do
    [ -e "$killed/state.safetensors" ] && break
    sleep 0.01
  done
  [ -e "$killed/state.safetensors" ] || { echo "$preset: no checkpoint was written"; exit 1; }
  kill -KILL "$process"
  wait "$process" 2>/dev/null && { echo "$preset: the run ended before it could be killed"; exit 1; }
  [ ! -e "$killed/model.safetensors" ] || {
    echo "$preset: the run ended before it could be killed"
    exit 1
  }

  "$twinage" train --resume --out "$killed" --threads 2 2>/dev/null
  cmp "$whole/model.safetensors" "$killed/model.safetensors"
  echo "$preset: killed and resumed: the model's bytes are the same"
}

kill_and_resume tiny
kill_and_resume alexnet-tiny
