#!/usr/bin/env python3
"""What onnxruntime reads with an exported model against predict and embed: look_at_onnx.py TWINAGE RUN MODEL PICTURES

Embeddings within 1e-4 of the largest, ages and interval ends within 0.05 years, genders within 1e-4. --time:
images a second of both, by turns.
"""
import argparse
import csv
import json
import pathlib
import subprocess
import sys
import tempfile
import time

import numpy as np
import onnx
import onnxruntime
import PIL.Image


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("twinage")
    parser.add_argument("run")
    parser.add_argument("model")
    parser.add_argument("pictures")
    parser.add_argument("--readout")
    parser.add_argument("--time", action="store_true")
    return parser.parse_args()


def ours(asked, names):
    readout = ["--readout", asked.readout] if asked.readout else []
    said = subprocess.run([asked.twinage, "predict", asked.run, "--json", *readout, *names], capture_output=True, check=True)
    with tempfile.TemporaryDirectory() as folder:
        to = f"{folder}/z"
        subprocess.run([asked.twinage, "embed", asked.run, *names, "--out", to], capture_output=True, check=True)
        z = np.load(to + ".npy")
        rows = list(csv.DictReader(open(to + ".csv", newline="")))
    return json.loads(said.stdout), z, rows


def main():
    asked = arguments()
    onnx.checker.check_model(onnx.load(asked.model), full_check=True)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(asked.model, options, providers=["CPUExecutionProvider"])
    names = sorted(str(p) for p in pathlib.Path(asked.pictures).glob("*.png"))
    pictures = np.stack([np.asarray(PIL.Image.open(n)) for n in names])
    outputs = [o.name for o in session.get_outputs()]
    # In parts of another size each time: the batch is dynamic.
    parts, begin = [], 0
    for size in (1, 7, 32, len(names)):
        parts.append(session.run(outputs, {"pictures": pictures[begin:begin + size]}))
        begin += size
    got = {name: np.concatenate([part[i] for part in parts if len(part[i])]) for i, name in enumerate(outputs)}
    said, z, rows = ours(asked, names)
    problems = []

    def compare(what, theirs, mine, most):
        difference = float(np.abs(np.asarray(theirs, np.float64) - np.asarray(mine, np.float64)).max())
        print(f"  {what}: the largest difference of {len(theirs)} is {difference:.2g}")
        if not difference <= most:
            problems.append(what)

    compare("embedding", got["embedding"], z, 1e-4 * max(1.0, float(np.abs(z).max())))
    compare("p_female", got["p_female"], [float(r["p_female"]) for r in rows], 1.5e-4)
    if "age" in got:
        compare("age", got["age"], [s["age"] for s in said], 0.05)
        compare("age_low", got["age_low"], [s["interval"][0] for s in said], 0.05)
        compare("age_high", got["age_high"], [s["interval"][1] for s in said], 0.05)
        if np.ptp(got["age"]) < 1:
            problems.append("all ages are the same: nothing was compared")
    if asked.time:
        for _ in range(3):
            begin = time.time()
            for i in range(0, len(names), 32):
                session.run(outputs, {"pictures": pictures[i:i + 32]})
            theirs = time.time() - begin
            begin = time.time()
            subprocess.run([asked.twinage, "predict", asked.run, "--jsonl", *names], capture_output=True, check=True)
            mine = time.time() - begin
            print(f"  images a second: onnxruntime {len(names) / theirs:.0f}, predict with its start {len(names) / mine:.0f}")
    if problems:
        sys.exit("too far apart: " + ", ".join(problems))


if __name__ == "__main__":
    main()
