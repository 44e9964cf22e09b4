#!/usr/bin/env bash
# A run that is killed with SIGKILL in mid-step and resumed ends in the same bytes as one that was
# not, dropout's masks included (alexnet-tiny): kill_and_resume.sh TWINAGE
set -euo pipefail
twinage=$(realpath "$1")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

"$twinage" synth --out "$folder/faces" --count 60 --seed 5 2>/dev/null

# killed NAME OPTION...
killed() {
  local name=$1 process run
  shift
  local train=("$twinage" train --data "$folder/faces" --steps 24 --batch 8 --seed 3
    --set training.checkpoint_steps=5 --set training.validate_steps=10 "$@")
  run="$folder/$name"
  "${train[@]}" --out "$run.whole" --threads 2 2>/dev/null

  "${train[@]}" --out "$run" --threads 1 2>/dev/null &
  process=$!
  for _ in $(seq 1 2000); do
    [ -e "$run/state.safetensors" ] && break
    sleep 0.01
  done
  [ -e "$run/state.safetensors" ] || { echo "$name: no checkpoint was written"; exit 1; }
  kill -KILL "$process"
  wait "$process" 2>/dev/null && { echo "$name: the run ended before it could be killed"; exit 1; }
  [ ! -e "$run/model.safetensors" ] ||
    { echo "$name: the run ended before it could be killed"; exit 1; }

  "$twinage" train --resume --out "$run" --threads 2 2>/dev/null
  cmp "$run.whole/model.safetensors" "$run/model.safetensors"
  echo "$name: killed and resumed, the model's bytes are the same"
}

killed default
killed expectation --recipe expectation
killed three_heads --set model.heads=embedding,gender,age
killed alexnet --preset alexnet-tiny
