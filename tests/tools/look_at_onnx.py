#!/usr/bin/env python3
"""What onnxruntime reads with an exported model against predict and embed: look_at_onnx.py TWINAGE RUN MODEL PICTURES

PICTURES: a folder of PNG files of the model's size. Embeddings within 1e-4 of the largest, ages and interval ends
within 0.001 years, genders within 1e-5; faces have to differ a hundred times as much. --time: images a second of both
instead, by turns.
"""
import argparse
import functools
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
import tomllib

import numpy as np
import onnx
import onnxruntime
import PIL.Image

kYears = 1e-3
kStep = 0.2


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("twinage")
    parser.add_argument("run")
    parser.add_argument("model")
    parser.add_argument("pictures")
    parser.add_argument("--readout")
    parser.add_argument("--looks", type=int, help="as many the model has to take at a face")
    parser.add_argument("--time", action="store_true")
    parser.add_argument("--rounds", type=int, default=5)
    return parser.parse_args()


def decoded(name, side):
    picture = np.asarray(PIL.Image.open(name).convert("RGB"))
    if picture.shape != (side, side, 3):
        sys.exit(f"{name}: {picture.shape[:2]} pixels, the model takes {side} x {side}")
    return picture


@functools.lru_cache
def said_by(twinage, run, names, readout):
    """Of each picture what predict says."""
    said = subprocess.run([twinage, "predict", run, "--json", "--readout", readout, *names], capture_output=True, check=True)
    return json.loads(said.stdout)


def embedded(asked, names):
    with tempfile.TemporaryDirectory() as folder:
        to = f"{folder}/z"
        subprocess.run([asked.twinage, "embed", asked.run, *names, "--out", to], capture_output=True, check=True)
        return np.load(to + ".npy")


def p_female(one):
    p = one["gender_probability"]
    return p if one["gender"] == "female" else 1 - p


class Comparison:
    def __init__(self):
        self.problems = []

    def compare(self, what, theirs, mine, most, at_steps=0):
        """at_steps: of the furthest so many may be kStep apart."""
        theirs, mine = np.asarray(theirs, np.float64), np.asarray(mine, np.float64)
        if theirs.shape != mine.shape:
            sys.exit(f"{what}: {theirs.shape} numbers and {mine.shape}")
        furthest = np.sort(np.abs(theirs - mine).reshape(len(mine), -1).max(axis=1))[::-1]
        apart = [d for d in furthest[:at_steps] if not d <= most]
        difference = float(furthest[len(apart)])
        print(f"  {what}: the largest difference of {len(theirs)} is {difference:.2g}" + "".join(f", one at a step {d:.2g}" for d in apart))
        if not (difference <= most and all(d <= kStep for d in apart)):
            self.problems.append(what)
        # What is nearly the same of all faces would be so for another network, too.
        if not float(np.ptp(mine, axis=0).max()) >= 100 * most:
            self.problems.append(f"{what}: all are alike, so that nothing was compared")

    def reading(self, got, said, at_steps):
        self.compare("age", got["age"], [s["age"] for s in said], kYears, at_steps)
        if "age_low" not in got and all(s["interval"] is None for s in said):
            return
        self.compare("age_low", got["age_low"], [s["interval"][0] for s in said], kYears, at_steps)
        self.compare("age_high", got["age_high"], [s["interval"][1] for s in said], kYears, at_steps)

    def heads(self, asked, names, got, said):
        def ages_by(readout):
            return [s["age"] for s in said_by(asked.twinage, asked.run, tuple(names), readout)]

        if "embedding" in got:
            z = embedded(asked, names)
            self.compare("embedding", got["embedding"], z, 1e-4 * float(np.abs(z).max()))
        if "p_female" in got:
            self.compare("p_female", got["p_female"], [p_female(s) for s in said], 1e-5)
        if "p_age" in got:
            mean = got["p_age"].astype(np.float64) @ np.arange(got["p_age"].shape[1])
            self.compare("mean of p_age", mean, ages_by("expectation"), kYears)
        if "age_number" in got:
            self.compare("age_number", np.maximum(got["age_number"], 0), ages_by("direct"), kYears)


def run_in_parts(session, outputs, pictures):
    """In parts of another size each time: the batch is dynamic."""
    parts, begin = [], 0
    for size in (1, 7, 32, len(pictures)):
        if begin < len(pictures):
            parts.append(session.run(outputs, {"pictures": pictures[begin:begin + size]}))
        begin += size
    return {name: np.concatenate([part[i] for part in parts]) for i, name in enumerate(outputs)}


def time_both(asked, session, names, side):
    """Both from PNG files to ages, by turns. A start is no part of it: onnxruntime's model is loaded before, and of
    predict's time with all pictures that with a quarter of them is taken off."""
    outputs = [o.name for o in session.get_outputs()]
    few, all_of_them = names[:len(names) // 4], names

    def theirs():
        begin = time.perf_counter()
        for i in range(0, len(names), 64):
            session.run(outputs, {"pictures": np.stack([decoded(n, side) for n in names[i:i + 64]])})
        return len(names) / (time.perf_counter() - begin)

    def predict(pictures):
        listed = "\n".join(pictures).encode()
        begin = time.perf_counter()
        subprocess.run([asked.twinage, "predict", asked.run, "--jsonl", "--list", "-"], input=listed, capture_output=True, check=True)
        return time.perf_counter() - begin

    def ours():
        start = predict(few)
        return (len(all_of_them) - len(few)) / (predict(all_of_them) - start)

    theirs()  # once for the memory that it asks for
    rates = [(theirs(), ours()) for _ in range(asked.rounds)]
    for what, i in (("onnxruntime", 0), ("predict", 1)):
        each = sorted(rate[i] for rate in rates)
        print(f"  {what}: {statistics.median(each):.0f} images a second ({each[0]:.0f} to {each[-1]:.0f})")
    ratio = sorted(mine / its for its, mine in rates)
    print(f"  predict against onnxruntime: {statistics.median(ratio):.2f} ({ratio[0]:.2f} to {ratio[-1]:.2f}) of {len(ratio)} turns")


def main():
    asked = arguments()
    model = onnx.load(asked.model)
    onnx.checker.check_model(model, full_check=True)
    looks = len(next(n for n in model.graph.node if n.op_type == "Concat").input)
    if asked.looks and looks != asked.looks:
        sys.exit(f"expected {asked.looks} looks at a face, the model takes {looks}")
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(asked.model, options, providers=["CPUExecutionProvider"])
    names = sorted(str(p) for p in pathlib.Path(asked.pictures).glob("*.png"))
    side = session.get_inputs()[0].shape[1]
    if asked.time:
        return time_both(asked, session, names, side)
    pictures = np.stack([decoded(n, side) for n in names])
    got = run_in_parts(session, [o.name for o in session.get_outputs()], pictures)
    kind = asked.readout or tomllib.loads((pathlib.Path(asked.run) / "config.toml").read_text())["readout"]["kind"]
    said = said_by(asked.twinage, asked.run, tuple(names), kind)
    comparison = Comparison()
    comparison.heads(asked, names, got, said)
    if "age" in got:
        # P(same class | D) is a staircase: a distance on an edge of it falls to either side by rounding.
        comparison.reading(got, said, at_steps=2 if kind == "comparison" else 0)
    if comparison.problems:
        sys.exit("too far apart: " + ", ".join(comparison.problems))


if __name__ == "__main__":
    main()
