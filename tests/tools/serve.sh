#!/usr/bin/env bash
# `twinage serve` as its clients see it, good ones and others: serve.sh TWINAGE
source "$(dirname "$0")/checks.sh"

"$twinage" synth --out faces --count 60 --size 80 --seed 5 >/dev/null 2>&1
train_briefly --data faces --out run
ls faces/*.jpg | head -12 >names
"$twinage" predict run --jsonl --list names >expected.jsonl 2>/dev/null || { echo "FAILED: predict"; exit 1; }
"$twinage" serve run --port 0 --max-megabytes 0.2 --max-pictures 8 --queue 40 --timeout 1 --connections 8 >log 2>&1 &
python3 "$here/ask_service.py" log $! expected.jsonl || exit 1
"$twinage" serve run --port 0 >log2 2>&1 &
service=$!
until grep -q http log2; do sleep 0.1; done
"$here/fuzz_service.py" "$(grep -oE '[0-9]+/$' log2 | tr -d /)" "$(head -1 names)" 300 $((RANDOM)) || exit 1
python3 "$here/ask_service.py" log2 $service expected.jsonl --only-end || exit 1
"$twinage" serve nowhere --port 0 2>err && { echo "FAILED: a model that is not there"; exit 1; }
grep -q 'nowhere does not exist' err || { echo "FAILED: $(cat err)"; exit 1; }
echo "all as expected"
