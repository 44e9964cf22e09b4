#!/usr/bin/env bash
# crop and predict --photo as a person uses them: photographs.sh TWINAGE COMPOSE_PHOTOGRAPHS
compose=$(realpath "$2")
source "$(dirname "$0")/checks.sh"

"$twinage" synth --out faces --count 20 --size 200 --seed 9 >/dev/null 2>&1
"$compose" faces photos 4 1 15 || exit 1
train_briefly --data faces --out run
look="--turn 15 --detail 1200"

# 1. Several faces a photograph.
check "predict reads each face" bash -c "'$twinage' predict run --photo $look --jsonl photos >photos.jsonl"
check "found, none twice" python3 "$here/../photographs/score.py" photos/truth.csv photos.jsonl
check "crop writes the same faces" "$twinage" crop photos --out cut $look
check "with a line for each" python3 - <<'PY'
import csv, json, os
lines = [json.loads(l) for l in open("photos.jsonl")]
rows = list(csv.DictReader(open("cut/crop.csv", newline="")))
assert len(lines) == len(rows) == len([f for f in os.listdir("cut") if f.endswith(".jpg")])
for x, row in zip(lines, rows, strict=True):
    assert row["photo"] == x["image"] and abs(float(row["turn"]) - x["turn"]) < 0.11
    assert abs(float(row["box_side"]) - x["box"][2]) < 0.11 and float(row["confidence"]) > 0
assert json.load(open("cut/crop.json"))["found"] > 0
PY
check "a crop is read as its face in the photograph" bash -c "
  '$twinage' predict run --json cut/photo_00.jpg >one.json 2>/dev/null
  python3 -c \"import json; a=json.load(open('one.json'))[0]['age']; b=[json.loads(l) for l in open('photos.jsonl')][0]['age']; assert a == b, (a, b)\""
check "as text, with its box" bash -c "'$twinage' predict run --photo $look photos/photo_00.jpg 2>/dev/null | grep -q 'face 1 at ('"

# 2. What is no face.
head -c 100 faces/$(ls faces | head -1) >bad.jpg
python3 - <<'PY'
import struct
w, h = 320, 240
rows = b"\x80" * (w * h * 3)
open("grey.bmp", "wb").write(b"BM" + struct.pack("<IIIIiiHHIIiiII", 54 + len(rows), 0, 54, 40, w, h, 1, 24, 0, len(rows), 0, 0, 0, 0) + rows)
PY
check "no face in the only photograph" refused 1 'no face was found' "$twinage" predict run --photo grey.bmp
check "others go on" bash -c "'$twinage' predict run --photo $look --jsonl grey.bmp photos/photo_00.jpg >mixed 2>said2 && head -1 mixed | grep -q '\"error\":\"no face was found\"' && [ \$(wc -l <mixed) -ge 2 ] && grep -q 'grey.bmp' said2"
check "a bad file among them" refused 1 '1 of 2 photographs could not be read' "$twinage" predict run --photo $look --csv bad.jpg photos/photo_00.jpg
check "crop: no face at all" refused 1 'no face was found' "$twinage" crop grey.bmp --out none
check "a folder that holds something" refused 1 'not an empty folder' "$twinage" crop grey.bmp --out faces
check "no folder" refused 2 'out is missing' "$twinage" crop grey.bmp
check "landmarks that are none" refused 1 'cannot be read as' "$twinage" crop grey.bmp --out none2 --landmarks grey.bmp

# 3. The model knows how its faces were cropped.
check "not yet" refused 1 'does not say how' "$twinage" crop grey.bmp --out none3 --like run
cp run/model.safetensors before
check "it is told" "$twinage" crop --measure faces --record run
check "and nothing else of it changes" python3 - <<'PY'
import json, struct
def read(p):
    b = open(p, "rb").read(); n = struct.unpack("<Q", b[:8])[0]; h = json.loads(b[8:8 + n]); m = h.pop("__metadata__")
    return m, {k: (v["shape"], v["dtype"], b[8 + n + v["data_offsets"][0]:8 + n + v["data_offsets"][1]]) for k, v in h.items()}
(m, t), (m2, t2) = read("before"), read("run/model.safetensors")
assert t == t2 and m2.pop("crop") and m == m2
PY
check "crop --like" "$twinage" crop photos/photo_00.jpg --out alike --like run $look
all_held
