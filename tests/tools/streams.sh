#!/usr/bin/env bash
# predict and embed of folders, lists and standard input, in every form, however many pictures:
# streams.sh TWINAGE
source "$(dirname "$0")/checks.sh"

"$twinage" synth --out faces --count 70 --size 80 --seed 5 >/dev/null 2>&1
train_briefly --data faces --out run
mkdir -p photos/deeper photos/none
i=0
for f in $(ls faces/*.jpg | head -66); do  # names that say no age; more than one part
  cp "$f" "photos/$([ $((i % 2)) = 0 ] || echo deeper/)a picture, $i.JPG"
  i=$((i + 1))
done
echo "no picture" >photos/notes.txt
find photos -name '*.JPG' | LC_ALL=C sort >names

# 1. Every form says the same.
"$twinage" predict run --json photos >all.json 2>/dev/null
"$twinage" predict run --jsonl photos >all.jsonl 2>/dev/null
"$twinage" predict run --csv photos >all.csv 2>/dev/null
check "a folder in three forms" python3 - <<'PY'
import csv, json
array = json.load(open("all.json"))
lines = [json.loads(line) for line in open("all.jsonl")]
rows = list(csv.DictReader(open("all.csv", newline="")))
names = [line.rstrip("\n") for line in open("names")]
assert array == lines and len(array) == 66
assert [x["image"] for x in array] == names, "not in the order of their paths"
for x, row in zip(array, rows, strict=True):
    assert row["image"] == x["image"] and abs(float(row["age"]) - x["age"]) < 0.006
    assert row["gender"] == x["gender"] and row["error"] == ""
    assert abs(float(row["low"]) - x["interval"][0]) < 0.006
PY
check "as text, each with its age" test "$("$twinage" predict run photos 2>/dev/null | grep -c '^  age ')" = 66

# 2. Lists and standard input.
check "a list on standard input" bash -c "'$twinage' predict run --jsonl --list - <names | cmp - all.jsonl"
check "a list in a file, with a carriage return" bash -c "sed 's/\$/\r/' names >dos; '$twinage' predict run --jsonl --list dos | cmp - all.jsonl"
check "names that end with a zero byte" bash -c "tr '\n' '\0' <names | '$twinage' predict run --jsonl --list - --null | cmp - all.jsonl"
check "one picture on standard input" bash -c "'$twinage' predict run --jsonl - <'$(head -1 names)' >one; head -1 all.jsonl | sed 's|$(head -1 names)|-|' | cmp - one"
check "a list that is being written is answered as it comes" python3 - "$twinage" <<'PY'
import json, subprocess, sys
names = [line.rstrip("\n") for line in open("names")][:3]
p = subprocess.Popen([sys.argv[1], "predict", "run", "--jsonl", "--list", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                     stderr=subprocess.DEVNULL, text=True)
for name in names:  # each is answered before the next is asked
    p.stdin.write(name + "\n")
    p.stdin.flush()
    assert json.loads(p.stdout.readline())["image"] == name
p.stdin.close()
assert p.wait() == 0
PY

# 3. What cannot be read is said in its place.
{ head -2 names; echo gone.jpg; echo photos/notes.txt; tail -1 names; } >mixed
check "some that cannot be read: the exit code" refused 1 '2 of 5 pictures could not be read' "$twinage" predict run --jsonl --list mixed
check "and their places" python3 -c "
import json
got = [json.loads(l) for l in open('out')]
assert ['error' in g for g in got] == [False, False, True, True, False], got
assert got[2]['image'] == 'gone.jpg'"
check "as CSV too" bash -c "'$twinage' predict run --csv --list mixed 2>/dev/null | python3 -c 'import csv,sys; r=list(csv.DictReader(sys.stdin)); assert [bool(x[\"error\"]) for x in r]==[0,0,1,1,0]'"
check "the same picture twice" bash -c "'$twinage' predict run --jsonl '$(head -1 names)' '$(head -1 names)' | uniq | wc -l | grep -qx 1"
check "nothing to read" refused 2 'nothing to read' "$twinage" predict run
check "an empty list" refused 1 'names no picture' "$twinage" predict run --list /dev/null
check "a folder without pictures" refused 1 'holds no picture' "$twinage" predict run photos/none
check "a list that is not there" refused 1 'cannot be read' "$twinage" predict run --list nowhere
check "two things on standard input" refused 2 'not two things' "$twinage" predict run --list - -
check "two forms" refused 2 'choose one' "$twinage" predict run --json --csv photos
check "nothing on standard input" bash -c "! '$twinage' predict run - </dev/null 2>/dev/null"

# 4. embed of pictures without labels.
check "embed of a folder" "$twinage" embed run photos --out z
check "gives what embed of labelled faces gives" python3 - <<'PY'
import csv, json
rows = list(csv.DictReader(open("z.csv", newline="")))
lines = [json.loads(line) for line in open("all.jsonl")]
assert [r["path"] for r in rows] == [x["image"] for x in lines] and [int(r["row"]) for r in rows] == list(range(66))
assert all(r["age"] == "" and abs(float(r["read_age"]) - x["age"]) < 0.006 for r, x in zip(rows, lines))
header = open("z.npy", "rb").read(128)
assert b"(66, 128)" in header
PY
check "bit for bit" bash -c "{ echo path,age; sed 's/.*/\"&\",30/' names; } >labelled.csv; '$twinage' embed run --data labelled.csv --out y && cmp z.npy y.npy"
check "not both" refused 2 'expected --data' "$twinage" embed run photos --data faces --out x
check "not neither" refused 2 'expected --data' "$twinage" embed run --out x
check "none that can be read" refused 1 'none of 1 pictures' "$twinage" embed run photos/notes.txt --out x
check "leaves nothing" test ! -e x.csv -a ! -e x.npy

# 5. As much memory for many as for few.
check "2,000 pictures need no more memory than 200" python3 - "$twinage" <<'PY'
import resource, subprocess, sys
names = open("names").read().splitlines()
def peak(count):
    listed = "\n".join(names[i % len(names)] for i in range(count))
    code = ("import resource,subprocess,sys\n"
            "p = subprocess.run(sys.argv[1:], stdin=open('many'), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)\n"
            "assert p.returncode == 0\n"
            "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)")
    open("many", "w").write(listed + "\n")
    return int(subprocess.run([sys.executable, "-c", code, sys.argv[1], "predict", "run", "--jsonl", "--list", "-"],
                              capture_output=True, text=True, check=True).stdout)
few, many = peak(200), peak(2000)
print(few, many)
assert many < few * 1.05 + 2000, (few, many)
PY

all_held
