#!/usr/bin/env bash
# `twinage report`, `data --report` and `train --live` on runs of a few steps: one run, three side by
# side, one without genders, one without an embedding, one that broke off, one that is still going.
# tests/tools/look_at_page.py reads each page as a browser would; tidy has to find nothing wrong where
# it is installed: report.sh TWINAGE
source "$(dirname "$0")/checks.sh"

train() { "$twinage" train --preset tiny --set training.batch=8 --set training.record_steps=2 --threads 1 "$@"; }
look() { python3 "$here/look_at_page.py" "$@"; }
valid() {  # PAGE
  command -v tidy >/dev/null || { echo "tidy was not found: $1 WAS NOT VALIDATED"; return; }
  [ -z "$(tidy -q -e "$1" 2>&1 | tee /dev/stderr)" ]
}

"$twinage" synth --out faces --count 60 --size 80 --seed 5 >/dev/null 2>&1
"$twinage" synth --out others --count 30 --size 80 --seed 6 >/dev/null 2>&1
{ echo path,age; (cd faces && for f in *.jpg; do echo "faces/$f,${f%%_*}"; done); } >faces.csv
{ echo path,age; (cd others && for f in *.jpg; do echo "others/$f,${f%%_*}"; done); } >others.csv

# 1. One run, its own --val.
check "a run is trained" train --data faces --val others --steps 6 --out one
check "a page is made" "$twinage" report one --out one.html
check "it holds what it has to" look one.html --sections runs curves errors intervals same-class map-one examples-one worst-one wrong-one data config-one --pictures --least-figures 20
check "it is valid" valid one.html
check "it says which build trained it, and where" grep -qE "[0-9]+ cores of .*, device cpu, 1 thread" one.html
check "made again it is the same but for the time" bash -c "cp one.html before.html; '$twinage' report one --out one.html; diff <(sed 's/Made by.*//' before.html) <(sed 's/Made by.*//' one.html)"
check "without pictures there is none" "$twinage" report one --no-faces --out none.html
check "and all else" look none.html --sections runs curves errors map-one examples-one --no-pictures --least-figures 20
check "its numbers are JSON" bash -c "'$twinage' report one --json | python3 -c 'import json,sys; r=json.load(sys.stdin); assert len(r[\"sections\"]) > 8'"
check "a file of somebody's is left alone" fails "$twinage" report one --out others.csv
check "and is as it was" grep -q "^path,age" others.csv
check "a folder that is no run is refused" fails "$twinage" report faces --out x.html
cp words line
check "in a line" bash -c "[ \$(grep -c . line) = 1 ] && grep -q 'is no run' line"
check "no page is left behind" test ! -e x.html

# 2. Three side by side; one of them without an embedding.
check "another run" train --data faces --steps 4 --seed 2 --out two
check "one without an embedding" train --data faces --steps 4 --recipe expectation --out three
check "three side by side" "$twinage" report one two three --data others --out three.html
check "hold what they have to" look three.html --sections errors intervals same-class map-one map-two map-three --pictures --least-figures 25
check "are valid" valid three.html

# 3. No genders; no faces to measure with.
check "a run without genders" train --data faces.csv --val others.csv --steps 4 --out plain
check "has a page" "$twinage" report plain --out plain.html
check "with what there is" look plain.html --sections errors --least-figures 9 --without "Gender right by"
check "is valid" valid plain.html
check "a run without --val has its curves" "$twinage" report two --out two.html
check "and is told what to do" grep -q "name faces with --data" two.html
check "without errors" look two.html --sections runs curves config-two --least-figures 4

# 4. Broken off; going on.
check "a run that breaks off" fails train --data faces --steps 50 --set optimizer.factor=1e30 --out broken
check "has a page" "$twinage" report broken --out broken.html
check "that says so" grep -q "broke off: .*the loss became" broken.html
check "is valid" valid broken.html
check "one that goes too far between two losses" fails train --data faces --steps 50 --set optimizer.factor=1e8 --set training.record_steps=1 --out far
cp words line
check "is told what to do" grep -q "diverged; train anew with a smaller optimizer.factor" line
check "its page has what it had learnt" "$twinage" report far --out far.html
check "as curves" look far.html --sections runs curves --least-figures 4
train --data faces --val others --steps 100000 --set training.validate_steps=5 --out going --live=0 >log 2>&1 &
for _ in $(seq 600); do [ "$(grep -c validation going/metrics.jsonl 2>/dev/null)" -ge 2 ] 2>/dev/null && break; [ -d /proc/$! ] || break; sleep 0.1; done
check "a run that is going has a page" "$twinage" report going --out going.html
check "that says so" grep -q "still going: step" going.html
check "with its curves" look going.html --sections runs curves --least-figures 4

# 5. --live.
check "the page of a training, its numbers, and who may stop it" python3 "$here/look_at_live.py" log
wait %1
check "stopped by its button, it ends saved" test $? = 130
check "and can go on" test -e going/state.safetensors
train --data faces --steps 12 --out quiet >/dev/null 2>&1
train --data faces --steps 12 --out watched --live=0 >log 2>&1 &
python3 "$here/look_at_live.py" log --only-watch
wait %1
check "who is watched learns the same bits" cmp quiet/model.safetensors watched/model.safetensors

# 6. A data set.
printf 'no picture' >faces/30_0_1_20200101.jpg
cp "$(ls faces/*.jpg | head -1)" faces/99_1_1_20200102.jpg
check "a data set has a page" "$twinage" data faces --decode --report data.html
check "with what is wrong with it" look data.html --sections data contacts --pictures --least-figures 3
check "in words" grep -q "Left out" data.html
check "is valid" valid data.html

all_held
