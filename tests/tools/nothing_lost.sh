#!/usr/bin/env bash
# Whatever goes away in the middle of a run (who reads its output, the terminal, the process, a
# picture, the room on the disk), what was computed stays, and --resume ends in the same bytes as a
# run that nothing happened to: nothing_lost.sh TWINAGE
source "$(dirname "$0")/checks.sh"

ends_with() {  # CODE PROCESS
  local code=0
  wait "$2" 2>/dev/null || code=$?
  is "$code" "$1"
}
same_model() { cmp "$1/model.safetensors" "$2/model.safetensors"; }
reads_faces() { "$twinage" predict "$1" "$first" >/dev/null 2>&1; }

"$twinage" synth --out faces --count 400 --size 80 --seed 5 >/dev/null 2>&1
# Checkpoints after every step, and after every batch of a gallery that is large for so short a run.
train=("$twinage" train --data faces --steps 16 --batch 8 --seed 3 --set training.validate_steps=8
  --set training.checkpoint_steps=1 --set readout.gallery_share=1000)
endless=("$twinage" train --data faces --steps 1000000 --batch 8 --set training.checkpoint_steps=1)
"${train[@]}" --out whole 2>/dev/null
check "an undisturbed run leaves nothing but its five files" is "$(ls whole | wc -l)" 5

# 1. Nobody reads.
"${train[@]}" --out closed <&- >&- 2>&-
check "all three descriptors closed: exit code" is $? 0
check "all three descriptors closed: the model" same_model whole closed
cp closed/metrics.jsonl metrics
check "no note went into a data file" is "$(grep -cv '^{"event":' metrics)" 0
"${train[@]}" --out full >/dev/full 2>/dev/full
check "a full disk under the log: exit code" is $? 0
check "a full disk under the log: the model" same_model whole full
first=$(find faces -name '*.jpg' | sort | head -1)
echo hello >words.jpg
"$twinage" predict --json whole "$first" words.jpg 2>&- >out
check "predict without stderr says by its exit code that a picture was bad" is $? 1
check "and prints all of its JSON" python3 -c 'import json; assert len(json.load(open("out"))) == 2'
"$twinage" predict --json whole words.jpg nowhere.jpg 2>/dev/null >out
check "predict of bad pictures only" is $? 1
check "is JSON as well" python3 -c 'import json
assert ["error" in picture for picture in json.load(open("out"))] == [True, True]'
"$twinage" predict --json whole "$first" >/dev/full 2>err
check "a full disk under the result: exit code" is $? 1
check "a full disk under the result: a line" grep -q '^twinage: \[output\]' err
"$twinage" predict --json whole "$first" >&- 2>err
check "a closed stdout: exit code" is $? 1
"$twinage" predict --json whole "$first" 2>err | true
check "a pipe that nobody reads: no crash, and no words" is "$(grep -c '' err)" 0
"$twinage" train --settings 2>err | head -1 >/dev/null
check "nor where a table is cut off by head" is "$(grep -c '' err)" 0

# 2. The terminal goes: with SIGHUP ignored (nohup, disown) the run goes on, otherwise it is saved.
cat >terminal.py <<'PYTHON'
import os, pty, signal, subprocess, sys, time
ignored, state = sys.argv[1] == "ignored", sys.argv[2]
controller, terminal = pty.openpty()
p = subprocess.Popen(sys.argv[3:], stdin=terminal, stdout=terminal, stderr=terminal, preexec_fn=lambda:
                     signal.signal(signal.SIGHUP, signal.SIG_IGN if ignored else signal.SIG_DFL))
os.close(terminal)
while not os.path.exists(state) and p.poll() is None: time.sleep(0.01)
os.close(controller)
if not ignored:
    p.send_signal(signal.SIGHUP)
    time.sleep(0.02)
    if p.poll() is None: p.send_signal(signal.SIGHUP)  # as shells do, too
sys.exit(p.wait(timeout=300))
PYTHON
python3 terminal.py ignored terminal/state.safetensors "${train[@]}" --out terminal
check "the terminal is gone, SIGHUP ignored: exit code" is $? 0
check "the terminal is gone, SIGHUP ignored: the model" same_model whole terminal
python3 terminal.py default hangup/state.safetensors "${train[@]}" --out hangup
check "the terminal is gone: exit code" is $? 130
"$twinage" train --resume --out hangup 2>/dev/null
check "and resumed: the model" same_model whole hangup

# 3. The folder: one process at a time, what killed ones left is removed, what others wrote stays.
"${endless[@]}" --out locked 2>/dev/null &
process=$!
wait_for locked/state.safetensors
"${endless[@]}" --out locked --resume 2>err
check "a second process in the folder: exit code" is $? 1
check "a second process in the folder: a line with the first" grep -q "twinage: .*locked.*process $process" err
kill -TERM "$process"
check "SIGTERM: exit code" ends_with 130 "$process"
"${endless[@]}" --out locked --resume 2>/dev/null &
process=$!
sleep 0.3
kill -KILL "$process"
wait "$process" 2>/dev/null
touch locked/state.safetensors.tmp1 locked/model.safetensors.tmp23 locked/notes.tmp4
"$twinage" train --out locked --resume --steps 1 2>err
check "after SIGKILL the folder is free" is $? 0
check "temporary files are removed, ours only" is "$(ls locked | tr '\n' ' ')" \
  "config.toml metrics.jsonl model.safetensors notes.tmp4 sessions.jsonl state.safetensors "

# 4. The gallery: killed, stopped, and both resumed.
gallery() {
  "${train[@]}" --out "$1" 2>/dev/null &
  process=$!
  wait_for "$1/gallery.safetensors"
}
gallery killed
kill -KILL "$process"
check "killed in the gallery" ends_with 137 "$process"
check "there is a first model already" reads_faces killed
"$twinage" train --resume --out killed 2>/dev/null
check "killed in the gallery and resumed: the model" same_model whole killed
check "killed in the gallery and resumed: nothing is left behind" no_leftovers killed
gallery stopped
kill -TERM "$process"
check "stopped in the gallery: exit code" ends_with 130 "$process"
check "stopped in the gallery: a first model" reads_faces stopped
"$twinage" train --resume --out stopped 2>/dev/null
check "stopped in the gallery and resumed: the model" same_model whole stopped

# 5. A picture vanishes; faces are decoded anew each time.
cp -r faces fleeting
"$twinage" train --data fleeting "${train[@]:4}" --set data.memory_gb=0 --out vanished 2>err &
process=$!
wait_for vanished/state.safetensors
mv fleeting away
check "pictures vanish: exit code" ends_with 1 "$process"
check "pictures vanish: one is named, and how to go on" grep -qE '^twinage: .*fleeting/.*--resume' err
mv away fleeting
"$twinage" train --resume --out vanished 2>/dev/null
check "pictures come back: exit code" is $? 0
check "pictures come back: the model's tensors" python3 - <<'PYTHON'
def tensors(path):
    data = open(path, "rb").read()
    return data[8 + int.from_bytes(data[:8], "little"):]
assert tensors("vanished/model.safetensors") == tensors("whole/model.safetensors")
PYTHON

# 6. The disk fills up and is emptied again. Needs to mount a small tmpfs, which only root can.
if [ "$(id -u)" -eq 0 ] && mkdir small && mount -t tmpfs -o size=80m tmpfs small 2>/dev/null; then
  trap 'umount "$folder/small"; rm -rf "$folder"' EXIT
  "${endless[@]}" --out small/run 2>err &
  process=$!
  wait_for small/run/state.safetensors
  cat /dev/zero >small/filling 2>/dev/null
  for _ in $(seq 1 3000); do
    grep -q 'could not be saved' err && break
    sleep 0.01
  done
  check "a full disk: said" grep -q 'note: the state of step .* could not be saved .*No space left' err
  kill -TERM "$process"
  check "a full disk at the end: exit code" ends_with 1 "$process"
  check "a full disk at the end: a line" grep -q '^twinage: .*No space left' err
  check "a full disk: nothing half-written" no_leftovers small/run
  "$twinage" train --out small/run --resume 2>err
  check "a full disk is said before the work" grep -q 'twinage: .*cannot be written: No space left' err
  rm small/filling
  "$twinage" train --out small/run --resume --steps 1 2>/dev/null
  check "with room again the run goes on" is $? 0
else
  echo "NOT TESTED here: a full disk (mounting a tmpfs needs root)"
fi

all_held || exit 1
echo "nothing was lost"
