#!/usr/bin/env bash
# Several processes train together (docs/many_twins.md): the same bytes for any number of them,
# killed and resumed by other numbers, one line when one of them fails: ranks.sh TWINAGE
# 77 (ctest: skipped) where mpirun or this build's MPI is missing.
source "$(dirname "$0")/checks.sh"

source "$here/mpirun.sh"

"$twinage" synth --out faces --count 60 --size 80 --seed 5 2>/dev/null
options=(--batch 8 --seed 3 --set training.validate_steps=100 --set readout.gallery_max=9
  --set training.checkpoint_steps=1)
train=("$twinage" train --data faces "${options[@]}")
eight=("${train[@]}" --set training.shards=8)

# 1. any number of processes and threads
check "8 shards, one process" "${eight[@]}" --steps 2 --threads 1 --out whole
same_bytes() { # RANKS THREADS
  run_by "$1" "${eight[@]}" --steps 2 --threads "$2" --out "by$1x$2" 2>err &&
    cmp whole/model.safetensors "by$1x$2/model.safetensors" && cmp whole/config.toml "by$1x$2/config.toml"
}
for shape in 1x2 2x1 3x1 4x2 8x1; do
  check "$shape (processes x threads): the same bytes" same_bytes ${shape/x/ }
done
go_on() { run_by "$1" "$twinage" train --resume --out "$2" --steps 4 --threads 1 "${@:3}" 2>err; }
sharded_optimizer() { # saved whole, and shared out anew when read
  run_by 3 "${eight[@]}" --steps 2 --threads 1 --shard-optimizer --out zero1 2>err &&
    cmp whole/model.safetensors zero1/model.safetensors && cp -r whole four && go_on 1 four &&
    go_on 2 zero1 --shard-optimizer && cmp four/model.safetensors zero1/model.safetensors
}
check "ADADELTA's state shared out over 3 processes, then 2: the same bytes" sharded_optimizer
steps_take_time() { # validated after each: an image would take microseconds, had the validation its time
  run_by 2 "$twinage" train --data faces --batch 8 --seed 3 --set training.shards=2 --set training.validate_steps=1 \
    --set training.record_steps=1 --set readout.gallery_max=9 --steps 3 --threads 1 --out timed 2>err &&
    python3 -c '
import json, sys
rates = [r["images_per_second"] for r in map(json.loads, open("timed/metrics.jsonl")) if r["event"] == "step"]
print("  images a second:", *(round(r) for r in rates))
sys.exit(len(rates) != 3 or max(rates) > 5000)'
}
check "a step of two processes keeps its time where a validation follows" steps_take_time
measured() { run_by "$1" "$twinage" eval whole --data faces --threads 1 --json >"eval$1" 2>err; }
eval_by_two() { measured 1 && measured 2 && cmp eval1 eval2; }
check "two processes measure what one does" eval_by_two

# 2. one is killed: the others end, and other numbers go on to the same bytes
check "12 steps, one process" "${eight[@]}" --steps 12 --threads 2 --out long
ranks_of() { pgrep -P "$1" -f "$twinage"; } # of an mpirun
killed() {
  mpirun -n 4 "${eight[@]}" --steps 12 --threads 1 --out killed 2>err &
  local mpirun=$! started
  wait_for killed/state.safetensors || return
  kill -KILL "$(ranks_of $mpirun | shuf -n 1 --random-source=<(yes))"
  started=$SECONDS
  wait $mpirun && return 1
  [ $((SECONDS - started)) -lt 10 ] && [ ! -e killed/model.safetensors ] && grep -q "signal 9 (Killed)" err
}
resumed_by() { # RANKS RUN
  run_by "$1" "$twinage" train --resume --out "$2" --threads 1 2>err &&
    cmp long/model.safetensors "$2/model.safetensors"
}
check "one of 4 is killed: the others end within 10 s, and mpirun says so" killed
check "2 go on from their checkpoint to the same bytes" resumed_by 2 killed

# 3. stops, errors: one line, and nothing is lost
lines() { grep -c . err; }
asked_to_stop() {
  mpirun --quiet -n 2 "${eight[@]}" --steps 12 --threads 1 --out stopped 2>err &
  local mpirun=$! code
  wait_for stopped/state.safetensors || return
  kill -USR1 $mpirun
  wait $mpirun
  code=$?
  [ $code = 130 ] && grep -q "nothing is lost. Continue" err
}
check "SIGUSR1 to mpirun stops all of them" asked_to_stop
check "3 go on from there to the same bytes" resumed_by 3 stopped
lost_picture() { # pictures do not fit into memory: whoever needs one reads it again
  cp -r faces others
  mpirun --quiet -n 2 "$twinage" train --data others "${options[@]}" --set training.shards=8 \
    --set data.memory_gb=0.0001 --steps 1000 --threads 1 --out lost 2>err &
  local mpirun=$!
  wait_for lost/state.safetensors || return
  mv others gone
  wait $mpirun && return 1
  [ "$(grep -c '^twinage: ' err)" = 1 ] && grep -q "the run is saved at step" err
}
check "a picture that one cannot read ends all with one line, the state saved" lost_picture
no_space() {
  mpirun --quiet -n 2 bash -c 'ulimit -f 100; exec "$@"' - "${eight[@]}" --steps 3 --out full 2>err && return 1
  [ "$(lines)" = 1 ] && grep -q "full" err && [ ! -e full/state.safetensors ]
}
check "a full disk of the first ends all with one line" no_space
too_many() {
  run_by 3 "${train[@]}" --set training.shards=2 --steps 3 --out many 2>err && return 1
  [ "$(lines)" = 1 ] && grep -q "3 processes share the shards" err
}
check "more processes than shards: one line" too_many
hangs() {
  TWINAGE_PATIENCE=2 mpirun --quiet -n 2 "${eight[@]}" --steps 1000 --threads 1 --out hung 2>err &
  local mpirun=$!
  wait_for hung/state.safetensors || return
  kill -STOP "$(ranks_of $mpirun | tail -1)"
  wait $mpirun && return 1
  grep -q "has waited 2 seconds for the others" err
}
check "one that hangs: the other ends with a line" hangs
all_held
