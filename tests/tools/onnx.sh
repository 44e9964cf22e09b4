#!/usr/bin/env bash
# What `export --onnx` writes, checked by ONNX's checker and run by onnxruntime, against `predict` and
# `embed`: onnx.sh TWINAGE. Both come from PyPI; where they cannot be had, or the build has no ONNX, it
# says so and exits with 77: not tested.
source "$(dirname "$0")/checks.sh"

python=${ONNX_PYTHON:-$folder/venv/bin/python}
if [ ! -x "$python" ]; then
  python3 -m venv venv && venv/bin/pip install -q onnx onnxruntime pillow 2>pip.log ||
    { echo "NOT TESTED: onnx and onnxruntime could not be had from PyPI: $(tail -1 pip.log)"; exit 77; }
fi

"$twinage" synth --out faces --count 200 --size 80 --seed 5 >/dev/null 2>&1
"$twinage" synth --out others --count 100 --size 80 --seed 6 >/dev/null 2>&1
# The same bytes for both: JPEG decoders differ by a shade. Of the size that each tower's model takes.
"$python" -c "
import pathlib, PIL.Image
for side, count in ((80, 100), (71, 48), (124, 48)):
    pathlib.Path(f'png{side}').mkdir()
    for p in sorted(pathlib.Path('others').glob('*.jpg'))[:count]:
        PIL.Image.open(p).convert('RGB').resize((side, side)).save(f'png{side}/{p.stem}.png')
"
train() { "$twinage" train --data faces --set data.held_out=0.2 "$@" >/dev/null 2>&1; }
# After so few steps a model would keep to one look at a face, for the gallery's sake.
six="--set readout.gallery_share=1000"
one="--set readout.mirror=false --set readout.zooms=false"
train --out plain --steps 10 --batch 16 $six
train --out sphere --steps 10 --batch 16 --recipe paper --set readout.kind=knn $one
train --out age --steps 10 --batch 16 --recipe expectation $six
train --out alexnet --steps 3 --batch 8 --preset alexnet-tiny --recipe ranking $one
train --out mobilenet --steps 3 --batch 8 --preset mobilenet-tiny --recipe regression $one
train --out densenet --steps 3 --batch 8 --preset densenet-tiny --set 'model.heads=["embedding","gender","age"]' $one
train --out ssr --steps 10 --batch 16 --preset ssr --recipe ssr $one
find faces -name '*.jpg' | awk -F'[/_]' 'BEGIN { print "path,age" } { print $0 "," $2 + 0 }' >ages.csv
"$twinage" train --data ages.csv --out genderless --steps 3 --batch 8 $one >/dev/null 2>&1
if refused 1 'this build has no ONNX' "$twinage" export plain --onnx x.onnx; then
  echo "NOT TESTED: this build has no ONNX"
  exit 77
fi

look() {  # WHAT RUN SIDE LOOKS [READOUT]: exports with the reading and compares it with ours
  local what=$1 run=$2 side=$3 looks=$4
  local chosen=(${5:+--readout "$5"})
  check "$what: as a file" "$twinage" export "$run" --onnx "$run.onnx" --with-gallery "${chosen[@]}"
  check "read by onnxruntime as by us" "$python" "$here/look_at_onnx.py" "$twinage" "$run" "$run.onnx" "png$side" \
    --looks "$looks" "${chosen[@]}"
}
look "comparison, six looks" plain 80 6
look "knn of the same run, over its own file" plain 80 6 knn
look "prototype of the same run" plain 80 6 prototype
look "knn on a sphere, one look" sphere 80 1
look "expectation of an age head, six looks" age 80 6
look "AlexNet, an age head that ranks" alexnet 124 1
look "MobileNet, an age head that says a number" mobilenet 80 1
look "DenseNet, an embedding beside an age head" densenet 80 1
look "SSR-Net, its stages" ssr 71 1
look "trained without genders: none is said" genderless 80 1
check "without a reading" "$twinage" export sphere --onnx small.onnx
check "embeds as we do" "$python" "$here/look_at_onnx.py" "$twinage" sphere small.onnx png80
echo mine >mine.onnx
check "not over somebody's" refused 2 'mine.onnx would be overwritten' "$twinage" export sphere --onnx mine.onnx
check "which stays" grep -q mine mine.onnx
check "no embedding, no comparison" refused 2 'knn needs an embedding, and this network has none' \
  "$twinage" export age --onnx a.onnx --with-gallery --readout knn
check "no age head, nothing that it says" refused 2 'expectation needs an age head, and this network has none' \
  "$twinage" export plain --onnx a.onnx --with-gallery --readout expectation
check "a number is no distribution" refused 2 'expectation needs a probability of every age' \
  "$twinage" export ssr --onnx a.onnx --with-gallery --readout expectation
check "a read-out without the reading" refused 2 'without it no age is read' "$twinage" export plain --onnx a.onnx --readout knn
check "two files" refused 2 'name one file' "$twinage" export plain --onnx a.onnx --safetensors a.safetensors
check "leaves nothing" test ! -e a.onnx

check "weights for PyTorch" "$twinage" export plain --safetensors w.safetensors
check "with torchvision's names and shapes" "$python" - <<'PY'
import json, struct
f = open("w.safetensors", "rb")
header = json.loads(f.read(struct.unpack("<Q", f.read(8))[0]))
assert header["Conv2d_1a_3x3.conv.weight"]["shape"] == [8, 3, 3, 3]
assert header["Mixed_6b.branch7x7_2.conv.weight"]["shape"][2:] == [1, 7]
assert header["Conv2d_1a_3x3.bn.num_batches_tracked"]["shape"] == []
assert header["embedding.weight"]["shape"][0] == 128 and header["gender.bias"]["shape"] == [2]
PY
check "not over somebody's" refused 2 'mine.onnx would be overwritten' "$twinage" export plain --safetensors mine.onnx

all_held
