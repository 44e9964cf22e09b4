#!/usr/bin/env bash
# Each of the paper's experiments, of two steps a run: tables, pictures and configurations are
# there; stopped or killed and called again, an experiment ends in the same results; a run that
# fails is in the table, and the rest goes on: experiment.sh TWINAGE
source "$(dirname "$0")/checks.sh"

"$twinage" synth --out faces --count 60 --size 80 --seed 5 >/dev/null 2>&1
"$twinage" synth --out others --count 24 --size 80 --seed 6 >/dev/null 2>&1
all=(--data faces --val others --set training.batch=8 --preset tiny)
experiment() {  # NAME OPTION...
  local name=$1
  shift
  "$twinage" experiment "$name" "${all[@]}" "$@"
}

# 1. All six.
check "the cost is said" grep -q "^experiment losses: [0-9]* runs .*, 2 seeds), 0 of them done" \
  <(experiment losses --steps 2 --seeds 2 --out nothing --dry-run)
check "and nothing else is done" test ! -e nothing
for name in toy gender losses heads tau readout; do
  experiment $name --steps 2 --out $name --jobs 2 >table 2>err
  check "$name: exit code" is $? 0
  check "$name: its table is printed" grep -q '^| row | what |' table
  check "$name: nothing is left behind" no_leftovers $name
  check "$name: it said what it costs first" grep -q "^experiment $name: " <(head -1 err)
done
cat >look.py <<'PYTHON'
import glob, json, os, sys, xml.dom.minidom
pictures = {"toy": 4, "gender": 1, "losses": 2, "heads": 2, "tau": 3, "readout": 1}
for name, count in pictures.items():
    results = json.load(open(f"{name}/results.json"))
    runs = [(row, run) for row in results["rows"] for run in row["runs"]]
    assert results["twinage_experiment"] == name and runs
    for row, run in runs:
        assert run["progress"] == "done", (name, row["row"], run)
        assert run["figures"]["mae"] > 0 and run["curve"][-1][0] == 2
        assert run["figures"]["faces"] == 24
        begun = open(f"{name}/runs/{row['row']}-seed1.toml").read()
        assert begun == open(f"{name}/runs/{row['row']}-seed1/config.toml").read()
    svgs = sorted(glob.glob(f"{name}/*.svg"))
    assert len(svgs) == count, svgs
    text = open(f"{name}/results.md").read()
    for svg in svgs:
        xml.dom.minidom.parse(svg)
        assert f"({os.path.basename(svg)})" in text, svg
    assert text.count("| 1 of 1 |") == len(runs), text
readout = json.load(open("readout/results.json"))["rows"][0]["runs"][0]["figures"]
assert readout["mae:knn@48"] == readout["mae:knn"] and "mae:comparison@10" in readout
gender = {row["row"]: row["runs"][0]["figures"] for row in json.load(open("gender/results.json"))["rows"]}
assert "gender" not in gender["age-only"] and gender["age-only"]["gender_read"] == gender["age-only"]["probe"]
assert gender["inception"]["gender_read"] == gender["inception"]["gender"]
PYTHON
check "results, pictures and configurations agree" python3 look.py
check "eval says the same of a run" python3 - "$("$twinage" eval losses/runs/method-seed1 --data others --json 2>/dev/null)" <<'PYTHON'
import json, sys
figures = [row["runs"][0]["figures"] for row in json.load(open("losses/results.json"))["rows"] if row["row"] == "method"][0]
said = json.loads(sys.argv[1])["all"]
assert abs(figures["mae"] - said["mae_years"]) < 1e-9, (figures, said)
assert abs(figures["coverage"] - said["interval_share"]) < 1e-9, (figures, said)
PYTHON

# 2. Again: nothing is trained, and the same is there.
same() {  # but for the day
  diff <(grep -v '"date"' "$1/results.json") <(grep -v '"date"' "$2/results.json")
}
cp -r losses before
experiment losses --steps 2 --out losses --jobs 2 >/dev/null 2>err
check "a second call: exit code" is $? 0
check "a second call trains nothing" grep -q ', 0 to do' err
check "a second call: the results" same before losses
rm losses/results.md losses/mae.svg
"$twinage" experiment losses --out losses --only-table >/dev/null 2>&1
check "--only-table makes the table anew" cmp before/results.md losses/results.md
check "and the pictures" cmp before/mae.svg losses/mae.svg
experiment losses --steps 2 --out losses --rows method --jobs 2 --measure-again >/dev/null 2>&1
check "measured again: the results" same before losses

# 3. Stopped, killed, and gone on with.
slow=(tau --steps 12 --seeds 1 --rows tau-0,tau-3 --set training.checkpoint_steps=1)
experiment "${slow[@]}" --out whole >/dev/null 2>&1
check "an undisturbed experiment: exit code" is $? 0
for signal in INT KILL; do
  "$twinage" experiment "${all[@]}" "${slow[@]}" --out $signal >/dev/null 2>err &
  process=$!
  wait_for $signal/runs/tau-0-seed1/state.safetensors
  # A shell's background jobs do not hear of SIGINT; TERM means the same.
  kill -${signal/INT/TERM} $process
  wait $process 2>/dev/null
  code=$?
  if [ $signal = INT ]; then
    check "stopped: exit code" is $code 130
    check "stopped: it says how to go on" grep -q 'The same command goes on' err
    check "stopped: no model yet" test ! -e INT/runs/tau-3-seed1/model.safetensors
  else
    # Its run goes on alone, and ends.
    wait_for KILL/runs/tau-0-seed1/model.safetensors
    while [ -e KILL/runs/tau-0-seed1/twinage.lock ]; do sleep 0.05; done
  fi
  experiment "${slow[@]}" --out $signal >/dev/null 2>&1
  check "$signal, and gone on with: exit code" is $? 0
  check "$signal, and gone on with: the results" same whole $signal
done

# 4. What fails.
mkdir -p failing
experiment readout --steps 2 --out failing --dry-run >/dev/null 2>&1
experiment tau --steps 2 --rows tau-0 --out failing >/dev/null 2>&1
rm -r failing/runs/tau-0-seed1*
touch failing/runs/tau-1-seed1
experiment tau --steps 2 --rows tau-1,tau-3 --out failing >table 2>err
check "a run that fails: exit code" is $? 1
check "a run that fails: the line" grep -q '^twinage: \[experiment\] some runs failed' err
check "a run that fails is in the table" grep -q '^| tau-1 .*0 of 1, 1 failed' table
check "and why" grep -q 'tau-1, seed 1: .*cannot create failing/runs/tau-1-seed1' failing/results.md
check "the rest goes on" grep -q '^| tau-3 .*| 1 of 1 |' table
check "what was done before stays" grep -q '^| tau-0 .*| 1 of 1 |' table
rm failing/runs/tau-1-seed1
experiment tau --steps 2 --rows tau-1,tau-3 --out failing >table 2>&1
check "put right and called again" is $? 0
told() {  # CODE WORDS COMMAND...
  local code=$1 words=$2
  shift 2
  "$@" >/dev/null 2>err
  check "$words: exit code" is $? "$code"
  check "$words: the line" grep -q "^twinage: .*$words" err
}
told 2 "no such key" experiment tau --steps 2 --out new --set loss.nothing=1
told 2 "what this row varies" experiment tau --steps 2 --out new --set loss.tau=1
told 2 "expected toy, gender" experiment loss --steps 2 --out new
told 2 "row of tau" experiment tau --steps 2 --out new --rows tau-3,tau-4
told 2 "no experiment wrote" experiment tau --steps 2 --out faces
told 2 "another call" experiment tau --steps 3 --out failing
told 2 "another call" experiment heads --steps 2 --out failing
told 2 "jobs is 99" experiment tau --steps 2 --out new --jobs 99 --threads 2
told 2 "--minutes or --steps" experiment tau --out new
told 2 "data is missing" "$twinage" experiment tau --steps 2 --out new
told 1 "holds no results" experiment tau --out new --only-table
check "what was refused wrote nothing" test ! -e new

# 5. Without --val a tenth is kept apart, the same each time.
own=("$twinage" experiment readout --data faces --steps 2 --set training.batch=8)
"${own[@]}" --out own1 >/dev/null 2>&1
check "no --val: exit code" is $? 0
"${own[@]}" --out own2 >/dev/null 2>&1
check "no --val: the same faces" cmp own1/val.csv own2/val.csv
check "no --val: six of sixty" is "$(grep -c jpg own1/val.csv) $(grep -c jpg own1/train.csv)" "6 54"
"${own[@]}" --out own1 >/dev/null 2>err
check "no --val: gone on with" grep -q ', 0 to do' err

all_held || exit 1
echo "all experiments run"
