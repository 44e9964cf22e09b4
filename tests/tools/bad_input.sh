#!/usr/bin/env bash
# Bad input gives one clear line on stderr, the right exit code, and leaves nothing behind:
# bad_input.sh TWINAGE.  Prints every message.
set -uo pipefail
twinage=$(realpath "$1")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1
failures=0

# expect CODE PATTERN COMMAND...
expect() {
  local code=$1 pattern=$2
  shift 2
  "$@" >out 2>err
  local got=$?
  local message
  message=$(grep '^twinage: ' err | head -1)
  if [ "$got" -ne "$code" ] || ! grep -qE "$pattern" <<<"$message"; then
    echo "FAILED: $* -> exit $got (expected $code): $(tail -3 err) (expected /$pattern/)"
    failures=$((failures + 1))
  elif [ "$(grep -c '^twinage: ' err)" -ne 1 ]; then
    echo "FAILED: $*: more than one line of error"
    failures=$((failures + 1))
  else
    echo "exit $got  $message"
  fi
}
train() { "$twinage" train --steps 2 --batch 4 --set data.held_out=0.2 "$@"; }

mkdir empty texts
echo hello | tee a_file sheet.png >/dev/null
echo hello >texts/a.txt
expect 1 'empty' train --data empty --out run
expect 1 'texts' train --data texts --out run
expect 1 'nowhere' train --data nowhere --out run

"$twinage" synth --out faces --count 20 --seed 1 2>/dev/null
first=$(find faces -name '*.jpg' | sort | head -1)

# A picture cut off, among good ones: skipped and counted, and training goes on.
cp -r faces with_cut
head -c 2000 "$first" >"with_cut/$(basename "$first")"
train --data with_cut --out run_cut >out 2>err && grep -q '1 skipped' err ||
  { echo "FAILED: a truncated JPEG was not skipped: $(cat err)"; failures=$((failures + 1)); }
head -c 2000 "$first" >cut.jpg
expect 1 'cut off' "$twinage" predict run_cut cut.jpg

# A PNG whose header promises 60000 x 60000 pixels.
printf '\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR\x00\x00\xea\x60\x00\x00\xea\x60\x08\x02\x00\x00\x00\x00\x00\x00\x00' >huge.png
expect 1 'more than 67108864 pixels' "$twinage" predict run_cut huge.png
# What other programs show and this one does not read.
printf '\x00\x00\x00\x18ftypmif1\x00\x00\x00\x00mif1heic' >phone.jpg
expect 1 'HEIF .HEIC. is not supported: convert it' "$twinage" predict run_cut phone.jpg
head -c 700 "$first" >no_scan.jpg && printf '\xff\xd9' >>no_scan.jpg
expect 1 'cut off: [0-9]+ % of it is there' "$twinage" predict run_cut no_scan.jpg
expect 1 'not_a_picture' "$twinage" predict run_cut not_a_picture.jpg

printf 'path,years\na.jpg,30\n' >columns.csv
expect 1 'age' train --data columns.csv --out run
printf 'path,age\n%s,999\n' "$first" >old.csv
expect 1 '999' train --data old.csv --out run

# A run is told apart by its pictures' contents and persons: neither may change under it.
"$twinage" synth --out people --count 24 --seed 3 2>/dev/null
ls people/*.jpg | awk 'BEGIN { print "path,age,gender,subject" } { print $0 "," 20 + NR ",f,S" NR % 6 }' >people.csv
train --data people.csv --out run_people >out 2>err && grep -q 'warning: all faces to train on whose gender is known are female' err ||
  { echo "FAILED: one gender was not said: $(cat err)"; failures=$((failures + 1)); }
"$twinage" predict run_people "$first" | grep -qiE 'male' &&
  { echo "FAILED: a gender is read by a model that saw one"; failures=$((failures + 1)); }
sed 's/S1$/S0/' people.csv >other_people.csv
expect 1 'began with other faces' train --data other_people.csv --out run_people --resume
cp -r people people_then
second=$(ls people/*.jpg | sed -n 2p)
cp "$first" "$second"
expect 1 'pictures differ' train --data people.csv --out run_people --resume
cp "people_then/$(basename "$second")" "$second"

# Persons and pictures of --val are not trained on; here that is everybody.
{ echo path,age,subject; sed -n 's/^\(.*\),\([0-9]*\),f,\(S.\)$/\1,\2,\3/p' people.csv | tail -6; } >everybody.csv
expect 1 'no face is left to train on: all 24' train --data people.csv --val everybody.csv --out run
grep -q '6 persons of --data are in --val, too: 18 more faces' err ||
  { echo "FAILED: common persons: $(cat err)"; failures=$((failures + 1)); }
cp -r faces renamed
for picture in $(ls renamed/*.jpg | head -5); do mv "$picture" "${picture%.jpg}_copy.jpg"; done
mkdir twice && cp -r faces twice/a && cp -r renamed twice/b
train --data twice --val people --out run_twice >out 2>err && grep -q 'twice: 20 pictures occur more than once and count once (20 copies)' err ||
  { echo "FAILED: copies were not counted once: $(cat err)"; failures=$((failures + 1)); }
sed 's/,[0-9]*,f,/,30,f,/' people.csv >one_age.csv
expect 1 'cannot be learnt from one' train --data one_age.csv --out run
printf 'path,age\n%s,25-32\n' "$first" >range.csv
expect 1 'age-ranges middle' "$twinage" data range.csv
"$twinage" data range.csv --age-ranges middle | grep -q 'mean 28.5' ||
  { echo "FAILED: the middle of a range"; failures=$((failures + 1)); }

# A folder that two formats recognise, and one that none does.
mkdir mixed && cp "$first" mixed/ && cp "$first" mixed/009055_1M54.JPG
expect 1 'mixed can be read as utkface and morph: choose one with --format' "$twinage" data mixed
"$twinage" data mixed --format morph | grep -q 'format morph, without races' ||
  { echo "FAILED: --format morph"; failures=$((failures + 1)); }
expect 2 'nosuch' "$twinage" data mixed --format nosuch
expect 1 'no format recognises texts.*megaage-asian' "$twinage" data texts
expect 2 'PATH is required' "$twinage" data

# Splits: none, of folds that there are not, of persons whom nobody knows, of faces that are gone.
expect 1 'is no split: expected the first line' train --data faces --split columns.csv --out run
expect 2 'add --split' train --data faces --fold 1 --out run
expect 1 'needs to know who is on a picture' "$twinage" split --data faces --protocol person --out split.txt
expect 2 'no use for --folds' "$twinage" split --data faces --folds 3 --out split.txt
expect 2 'columns.csv would be overwritten' "$twinage" split --data faces --out columns.csv
[ ! -e split.txt ] || { echo "FAILED: a refused split was written"; failures=$((failures + 1)); }
"$twinage" split --data faces --out split.txt >/dev/null 2>err || { echo "FAILED: split: $(cat err)"; failures=$((failures + 1)); }
expect 1 'faces of split.txt are not in people, the first: .*there is no such picture' train --data people --split split.txt --out run
expect 2 'has no folds' train --data faces --split split.txt --fold 2 --out run
sed -i '$d' split.txt
expect 1 'cut off or changed' train --data faces --split split.txt --out run

# Each of them needs a GPU; where there is one, they are no mistakes.
if [ ! -e /dev/nvidia0 ]; then
  expect 1 'cuda' train --data faces --out run --device cuda
  expect 1 'cuda' train --data faces --out run --device cuda --kernels vendor
fi
expect 1 'cuDNN and cuBLAS compute on device cuda' train --data faces --out run --kernels vendor
expect 2 'kernels' train --data faces --out run --kernels nvidia
expect 2 'tpu' train --data faces --out run --device tpu
expect 2 'exactly one' "$twinage" train --data faces --out run
expect 2 'batch' train --data faces --out run --set training.batch=5
expect 2 'lossy' train --data faces --out run --loss lossy
expect 2 'nosuch' train --data faces --out run --set nosuch=1
expect 2 'subcommand' "$twinage"
expect 1 'already holds a run' train --data faces --out run_cut
expect 1 'model.preset' train --data faces --out run_cut --resume --preset small

expect 2 'recipe' train --data faces --out run_cut --resume --recipe paper
# Somebody's own files in the folder that a run is to be written to, and folders that cannot be.
for file in config.toml metrics.jsonl gallery.safetensors twinage.lock; do
  mkdir own && echo 'mine = true' >own/$file
  expect 1 "own.*(no run wrote it|already holds)" train --data faces --out own
  grep -q 'mine = true' own/$file || { echo "FAILED: own/$file was overwritten"; failures=$((failures + 1)); }
  rm -r own
done
expect 2 'folder of --data' train --data faces --out faces
expect 1 'cannot create' train --data faces --out a_file/run
if [ "$(id -u)" -ne 0 ]; then
  mkdir read_only && chmod a-w read_only
  expect 1 'read_only' train --data faces --out read_only
fi
expect 1 'sheet.png would be overwritten' "$twinage" synth --sheet sheet.png
expect 1 'no folder nowhere' "$twinage" synth --sheet nowhere/sheet.png
expect 1 'not an empty folder' "$twinage" synth --out faces --count 1
expect 2 'zoom' train --data faces --out run --set augment.zoom=2

# Of several pictures the bad one is named, and the others are read.
echo hello >words.jpg
"$twinage" predict run_cut "$first" words.jpg >out 2>err && { echo "FAILED: predict of a bad picture"; failures=$((failures + 1)); }
grep -q 'words.jpg: it is not a picture' err && grep -q '  age ' out || { echo "FAILED: predict said $(cat err)"; failures=$((failures + 1)); }

# Embeddings must not go over the labels they are made for; folders are looked at first.
printf 'path,age\n%s,30\n' "$first" >labels.csv
expect 2 'overwritten' "$twinage" embed run_cut --data labels.csv --out labels.npy
expect 1 'no folder nowhere' "$twinage" embed run_cut --data labels.csv --out nowhere/z.npy
# Somebody's own files of these names stay: what embed and eval wrote themselves may be replaced.
echo 'name,wage' >wages.csv
expect 2 'wages.csv would be overwritten, and embed did not' "$twinage" embed run_cut --data labels.csv --out wages.npy
grep -q 'name,wage' wages.csv || { echo "FAILED: wages.csv was overwritten"; failures=$((failures + 1)); }
echo 'numbers' >numbers.npy
expect 2 'numbers.npy would be overwritten' "$twinage" embed run_cut --data labels.csv --out numbers.csv
"$twinage" embed run_cut --data labels.csv --out z >/dev/null 2>err && "$twinage" embed run_cut --data labels.csv --out z >/dev/null 2>err &&
  "$twinage" embed run_cut --data labels.csv --out numbers --force >/dev/null 2>err ||
  { echo "FAILED: embed a second time: $(cat err)"; failures=$((failures + 1)); }
expect 2 'wages.csv would be overwritten, and eval did not' "$twinage" eval run_cut --data faces --out wages.csv
mkdir folder.npy
expect 2 'folder.npy would be overwritten' "$twinage" embed run_cut --data labels.csv --out folder
# What embed leaves out is named and counted.
printf 'path,age\n%s,30\nwords.jpg,31\n' "$first" >two.csv
expect 1 '1 of 2 faces could not be read' "$twinage" embed run_cut --data two.csv --out both
grep -q 'left out: .*words.jpg' err && [ "$(wc -l <both.csv)" -eq 2 ] ||
  { echo "FAILED: embed said $(cat err)"; failures=$((failures + 1)); }
grep -q 'path,age' labels.csv || { echo "FAILED: labels.csv was overwritten"; failures=$((failures + 1)); }
"$twinage" info --json >/dev/full 2>err && { echo "FAILED: output that was lost"; failures=$((failures + 1)); }

# What the heads do not give: a network of gender and age compares nothing.
train --data faces --out run_age --recipe expectation >out 2>err || { echo "FAILED: recipe expectation: $(cat err)"; failures=$((failures + 1)); }
expect 2 'compare. this model gives no embedding .its heads: gender, age.: .*predict.*model.heads' "$twinage" compare run_age "$first" "$first"
expect 2 'embed. this model gives no embedding' "$twinage" embed run_age --data labels.csv --out no_z
[ ! -e no_z.npy ] && [ ! -e no_z.csv ] || { echo "FAILED: embed left $(ls no_z*)"; failures=$((failures + 1)); }
expect 2 'knn needs an embedding, and this network has none' "$twinage" predict run_age --readout knn "$first"
expect 2 'prototype needs an embedding' "$twinage" eval run_age --readout prototype --data faces
expect 2 'expectation needs an age head' "$twinage" predict run_cut --readout expectation "$first"
expect 2 'comparison needs an embedding' train --data faces --out run --set model.heads=gender,age
expect 1 'model.heads' train --data faces --out run_age --resume --set model.heads=age

# Checkpoints: cut in half, of another preset, no checkpoint at all.
cp -r run_cut run_half
head -c $(($(stat -c %s run_cut/model.safetensors) / 2)) run_cut/model.safetensors >run_half/model.safetensors
expect 1 'cut off' "$twinage" predict run_half "$first"
head -c $(($(stat -c %s run_cut/state.safetensors) / 2)) run_cut/state.safetensors >run_half/state.safetensors
expect 1 'cut off' "$twinage" train --resume --out run_half
expect 1 'does not exist' "$twinage" predict empty "$first"
expect 1 'safetensors' "$twinage" predict texts/a.txt "$first"

[ ! -e run ] || { echo "FAILED: a refused run left $(ls run)"; failures=$((failures + 1)); }

# Weights to begin with. A pickle that Python would run a program for does nothing here.
cat >evil.py <<'PY'
import os, pickle, sys, zipfile
class Evil:
    def __reduce__(self):
        return os.system, ("touch pwned",)
pickled = pickle.dumps({"state_dict": {"a": Evil()}}, protocol=2)
with zipfile.ZipFile("evil.pth", "w") as archive:
    archive.writestr("evil/data.pkl", pickled)
if "--run" in sys.argv:
    pickle.loads(pickled)
PY
python3 evil.py
if "$twinage" train --data faces --steps 1 --from evil.pth --out run 2>&1 | grep -q 'no libzip'; then
  echo "NOT TESTED here: .pth files (this build has no libzip)"
else
  expect 1 'it wants (posix|nt)\.system.*Nothing of it was run' train --data faces --out run --from evil.pth
  [ ! -e pwned ] || { echo "FAILED: a pickle was run"; failures=$((failures + 1)); }
  python3 evil.py --run && [ -e pwned ] || { echo "FAILED: the pickle would do nothing in Python either"; failures=$((failures + 1)); }
  printf 'PK\x03\x04rubbish' >cut.pth
  expect 1 'cut off or damaged' train --data faces --out run --from cut.pth
fi
expect 1 'nowhere.pth is no file' train --data faces --out run --from nowhere.pth
expect 1 'neither a .safetensors file nor a .pth' train --data faces --out run --from faces/"$(basename "$first")"
expect 1 'faces holds no model.safetensors' train --data faces --out run --from faces
expect 2 'is of --preset tiny, this run of small' train --data faces --out run --preset small --from run_cut
expect 2 'model.freeze.*add --from' train --data faces --out run --freeze stem
expect 2 'model.freeze must be none, stem, or how many blocks' train --data faces --out run --freeze some --from run_cut
expect 2 'at most 11 blocks of this tower, got 12' train --data faces --out run --freeze 12 --from run_cut
expect 2 'loaded_factor is of a tower that began with --from' train --data faces --out run --set optimizer.loaded_factor=0.1

# No space left: the old files stay whole. Needs to mount a small tmpfs, which only root can.
if [ "$(id -u)" -eq 0 ] && mkdir small && mount -t tmpfs -o size=6m tmpfs small 2>/dev/null; then
  trap 'umount "$folder/small"; rm -rf "$folder"' EXIT
  expect 1 'No space left' train --data faces --out small/run
  [ -z "$(find small -name '*.tmp*')" ] || { echo "FAILED: temporary files left"; failures=$((failures + 1)); }
else
  echo "NOT TESTED here: no space left (mounting a tmpfs needs root)"
fi

if [ "$failures" -gt 0 ]; then echo "$failures failed"; exit 1; fi
echo "all refused as expected"
