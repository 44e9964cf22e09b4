#!/usr/bin/env bash
# Several processes train together on devices other than the host's processor, to the bytes of one:
#   ranks_on_devices.sh TWINAGE TWINAGE_STANDIN
# simt by way of the host's memory; cuda by NCCL's calls, on the stand-in for a GPU in each process
# (docs/09-cuda-without-a-gpu.md). 77 (ctest: skipped) where mpirun or this build's MPI is missing.
standin=$(realpath "$2")
source "$(dirname "$0")/checks.sh"
source "$here/mpirun.sh"

"$twinage" synth --out faces --count 24 --size 80 --seed 5 2>/dev/null
options=(--data faces --seed 3 --threads 1 --set training.validate_steps=100
  --set readout.gallery_max=2 --set readout.mirror=false --set readout.zooms=false
  --set training.checkpoint_steps=1)
small=("${options[@]}" --preset ssr --batch 8 --set training.shards=4)
check "one process on simt" "$twinage" train "${small[@]}" --steps 3 --device simt --out one
by() { # RANKS PROGRAM DEVICE RUN OPTION...
  run_by "$1" "$2" train "${small[@]}" --steps 3 --device "$3" --out "$4" "${@:5}" 2>err
}
same() { by "$@" && cmp one/model.safetensors "$4/model.safetensors"; }
standin_as() { TWINAGE_STANDIN=$1 same "${@:2}"; } # late, eager or shuffled
recorded() { ! grep -q "kernel by kernel" err; }
check "2 on simt: the same bytes" same 2 "$twinage" simt simt2
check "2 on cuda, as late as allowed: the same bytes" standin_as late 2 "$standin" cuda late2
check "the exchange is part of the recorded step" recorded
check "4 on cuda, in a drawn order: the same bytes" standin_as shuffled 4 "$standin" cuda shuffled4
check "3 on cuda, as early as allowed, ADADELTA's state shared out: the same bytes" \
  standin_as eager 3 "$standin" cuda eager3 --shard-optimizer
nccl_adds() { # more than two, or the order would be the same
  by 4 "$standin" cuda nccl4 --exchange nccl && ! cmp -s one/model.safetensors nccl4/model.safetensors &&
    by 4 "$standin" cuda again4 --exchange nccl && cmp nccl4/model.safetensors again4/model.safetensors
}
check "--exchange nccl: NCCL's own sums, other bits, the same each time" nccl_adds

# A network of several buckets, which leave while backward goes on.
large=("${options[@]}" --preset tiny --batch 4 --set training.shards=2 --steps 2)
buckets() {
  "$twinage" train "${large[@]}" --device simt --out tiny1 &&
    run_by 2 "$standin" train "${large[@]}" --device cuda --out tiny2 2>err &&
    cmp tiny1/model.safetensors tiny2/model.safetensors
}
check "tiny, gradients on their way during backward: the same bytes" buckets

killed() { # of 4; 2 go on on another device, to the same bytes
  "$twinage" train "${small[@]}" --steps 12 --device simt --out long || return
  mpirun -n 4 "$standin" train "${small[@]}" --steps 12 --device cuda --out killed 2>err &
  local mpirun=$!
  wait_for killed/state.safetensors || return
  kill -KILL "$(pgrep -P $mpirun -f "$standin" | tail -1)"
  wait $mpirun && return 1
  [ ! -e killed/model.safetensors ] && cp -r killed other &&
    run_by 2 "$standin" train --resume --out killed --threads 1 --device cuda 2>err &&
    run_by 2 "$twinage" train --resume --out other --threads 1 --device simt 2>err &&
    cmp long/model.safetensors killed/model.safetensors && cmp long/model.safetensors other/model.safetensors
}
check "one of 4 is killed; 2 go on, on cuda and on simt, to the same bytes" killed

one_line() { # PATTERN
  [ "$(grep -c . err)" = 1 ] && grep -q "$1" err
}
refuses() { # PATTERN RANKS PROGRAM DEVICE OPTION...
  by "$2" "$3" "$4" refused "${@:5}" && return 1
  one_line "$1"
}
check "--exchange nccl without GPUs: one line" refuses "leave out --exchange nccl" 2 "$twinage" cpu --exchange nccl
check "--exchange nccl of one process: one line" refuses "leave out --exchange nccl" 1 "$standin" cuda --exchange nccl
check "--exchange nccl with --shard-optimizer: one line" \
  refuses "nothing to share out" 2 "$standin" cuda --exchange nccl --shard-optimizer
check "fewer GPUs than processes: one line" refuses "start one process a GPU" 2 "$standin" cuda:1
shared_gpu() { # by NCCL's rules and for speed one is one process's
  TWINAGE_STANDIN_BUS=0000:1B:00.0 by 2 "$standin" cuda refused && return 1
  one_line "processes 0 and 1 have the same GPU (0000:1B:00.0): start one process a GPU"
}
check "two processes on one GPU: one line" shared_gpu
all_held
