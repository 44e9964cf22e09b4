#!/usr/bin/env bash
# What `export --onnx` writes, checked by ONNX's checker and run by onnxruntime, against `predict` and
# `embed`: onnx.sh TWINAGE. Both come from PyPI; where they cannot be had, or the build has no ONNX, it
# says so and exits with 77: not tested.
set -uo pipefail
twinage=$(realpath "$1")
here=$(cd "$(dirname "$0")" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1

source "$here/checks.sh"

python=${ONNX_PYTHON:-$folder/venv/bin/python}
if [ ! -x "$python" ]; then
  python3 -m venv venv && venv/bin/pip install -q onnx onnxruntime pillow 2>pip.log ||
    { echo "NOT TESTED: onnx and onnxruntime could not be had from PyPI: $(tail -1 pip.log)"; exit 77; }
fi

"$twinage" synth --out faces --count 200 --size 80 --seed 5 >/dev/null 2>&1
"$twinage" synth --out others --count 100 --size 80 --seed 6 >/dev/null 2>&1
mkdir png
# The same bytes for both: JPEG decoders differ by a shade.
"$python" -c "
import pathlib, PIL.Image
for p in sorted(pathlib.Path('others').glob('*.jpg')):
    PIL.Image.open(p).convert('RGB').save(f'png/{p.stem}.png')"
train() { "$twinage" train --data faces --steps 20 --batch 16 --set data.held_out=0.2 "$@" >/dev/null 2>&1; }
train --out plain
train --out sphere --recipe paper --set readout.kind=knn --set readout.mirror=false --set readout.zooms=false
train --out age --recipe expectation
"$twinage" train --data faces --steps 2 --batch 4 --set data.held_out=0.2 --preset alexnet-tiny --out alexnet >/dev/null 2>&1
if refused 1 'this build has no ONNX' "$twinage" export plain --onnx x.onnx; then
  echo "NOT TESTED: this build has no ONNX"
  exit 77
fi

check "comparison, six looks: as a file" "$twinage" export plain --onnx plain.onnx --with-gallery
check "read by onnxruntime as by us" "$python" "$here/look_at_onnx.py" "$twinage" plain plain.onnx png
check "knn of the same run" "$twinage" export plain --onnx knn.onnx --with-gallery --readout knn
check "read as by us" "$python" "$here/look_at_onnx.py" "$twinage" plain knn.onnx png --readout knn
check "knn on a sphere, one look" "$twinage" export sphere --onnx sphere.onnx --with-gallery
check "read as by us" "$python" "$here/look_at_onnx.py" "$twinage" sphere sphere.onnx png
check "without references" "$twinage" export sphere --onnx small.onnx
check "embeds as we do" "$python" "$here/look_at_onnx.py" "$twinage" sphere small.onnx png
check "written anew over its own" "$twinage" export sphere --onnx small.onnx
echo mine >mine.onnx
check "not over somebody's" refused 2 'mine.onnx would be overwritten' "$twinage" export sphere --onnx mine.onnx
check "which stays" grep -q mine mine.onnx
check "no embedding, no comparison" refused 2 'no embedding' "$twinage" export age --onnx a.onnx --with-gallery
check "a tower that is not written" refused 2 "which is not written as ONNX yet" "$twinage" export alexnet --onnx a.onnx
check "another read-out" refused 2 'knn and comparison are' "$twinage" export plain --onnx a.onnx --with-gallery --readout prototype
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
