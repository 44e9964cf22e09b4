"""How well the faces of composed photographs were found and read: score.py TRUTH PHOTOS [ORIGINALS]

TRUTH is compose_photographs' truth.csv, PHOTOS the lines of `predict --photo --jsonl`, ORIGINALS those of
`predict --jsonl` of the pictures that were put into the photographs. A face is found where a box has
its middle within 0.3 sides of the picture's.
"""
import csv, json, math, os, statistics, sys

truth = list(csv.DictReader(open(sys.argv[1], newline="")))
photos = [x for x in map(json.loads, open(sys.argv[2])) if "error" not in x]
original = {x["image"]: x for x in map(json.loads, open(sys.argv[3]))} if len(sys.argv) > 3 else {}

left, pairs = list(photos), []
for t in truth:
    x, y, side = (float(t[k]) for k in ("x", "y", "side"))
    def away(p):
        bx, by, bs = p["box"]
        return math.hypot(bx + bs / 2 - x, by + bs / 2 - y) / side
    near = [p for p in left if p["image"] == t["photo"] and away(p) < 0.3]
    if near:
        best = min(near, key=away)
        left.remove(best)
        pairs.append((t, best))
turns = [abs(p["turn"] - float(t["turn"])) for t, p in pairs]
print(f"  {len(truth)} faces in {len({t['photo'] for t in truth})} photographs: {len(pairs)} found, "
      f"{len(truth) - len(pairs)} missed, {len(left)} false")
if not pairs:
    sys.exit("no face was found")
print(f"  turn wrong by {statistics.mean(turns):.1f} degrees on average, at most {max(turns):.1f}")
if original:
    age = lambda t: float(os.path.basename(t["file"]).split("_")[0])
    here = statistics.mean(abs(p["age"] - age(t)) for t, p in pairs)
    there = statistics.mean(abs(original[t["file"]]["age"] - age(t)) for t, p in pairs)
    apart = statistics.mean(abs(original[t["file"]]["age"] - p["age"]) for t, p in pairs)
    print(f"  MAE in the photographs {here:.2f}, of the same faces as they were {there:.2f}; "
          f"readings {apart:.2f} years apart")
if len(pairs) < 0.9 * len(truth) or len(left) > 0.05 * len(truth):
    sys.exit("too many missed or false")
