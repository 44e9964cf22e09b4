#!/usr/bin/env python3
"""How long a step of several processes takes, measured over slow links and drawn out to many ranks.

    sudo benchmarks/scaling.py build/release/twinage measure --out FILE.json
    benchmarks/scaling.py build/release/twinage model FILE.json          a table, in Markdown

measure (root: benchmarks/hosts.sh makes "machines" of this one) times steps of one process with batches of
several sizes, and of two processes on two machines joined by links of several rates. model fits

    t(R) = c(B / R) + w + m a ceil(log2 R) + k (R - 1) a + (1 - h) bytes / rate

to these, where
    c(b)   a process's time of a step of b faces: a line through the measured times
    w      what two processes wait for each other, the time of their messages with it; the intercept of
           what is left, taken for any R
    m      meetings a step: two of each batch norm, one of the heads' outputs, one between steps
    k      messages of the gradients' exchange to each other rank: two (sums, then totals) a bucket of 1 MB
    a      seconds that a small message takes
    bytes  that a rank sends: 2 (R - 1) / R of its gradients, and R - 1 times its statistics
    h      the share of them that is hidden behind backward; from the slope against 1 / rate, at least 0
and then says t for more ranks and other links. Those figures are calculated, not measured.
"""

import argparse
import json
import math
import pathlib
import statistics
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
RATES = {"50mbit": 50e6 / 8, "100mbit": 100e6 / 8, "200mbit": 200e6 / 8, "400mbit": 400e6 / 8, "1gbit": 1e9 / 8}
BATCH = 64
SPARE = 3  # steps before the times count
# Bytes a second in each direction, and seconds of a small message. Rates are the makers' (IEEE 802.3; NVIDIA's data
# sheets of ConnectX-7 and of H100: 900 GB/s of both directions); times of messages are assumed.
LINKS = {
    "Ethernet, 1 Gbit/s": (1e9 / 8, 50e-6),
    "Ethernet, 25 Gbit/s": (25e9 / 8, 20e-6),
    "InfiniBand NDR, 400 Gbit/s": (400e9 / 8, 2e-6),
    "NVLink 4, 450 GB/s": (450e9, 5e-6),
}
RATES_OF_FOUR = ("50mbit", "100mbit", "200mbit")
RANKS = (1, 2, 4, 8, 16, 32, 64, 128, 256)
BUCKET = 1 << 20


def step_seconds(run_folder):
    """The median time from one step to the next, of a run that recorded every step."""
    times = []
    for line in (run_folder / "metrics.jsonl").read_text().splitlines():
        record = json.loads(line)
        if record["event"] == "step":
            times.append(record["seconds"])
    gaps = [b - a for a, b in zip(times, times[1:])][SPARE:]
    return statistics.median(gaps)


def train(twinage, faces, folder, batch, steps, shards, before=()):
    command = [*before, twinage, "train", "--data", str(faces), "--batch", str(batch), "--steps", str(steps),
               "--threads", "1", "--seed", "3", "--out", str(folder), "--set", f"training.shards={shards}",
               "--set", "training.record_steps=1", "--set", "training.validate_steps=100000",
               "--set", "readout.gallery_max=9"]
    ended = subprocess.run(command, capture_output=True, text=True)
    if ended.returncode != 0:
        sys.exit(f"{' '.join(command)}: exit {ended.returncode}: {ended.stderr[-400:]}")
    return step_seconds(folder)


def measure(arguments):
    alone, joined, four = {}, {}, {}
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        subprocess.run([arguments.twinage, "synth", "--out", str(folder / "faces"), "--count", "400", "--size", "80",
                        "--seed", "5"], check=True, capture_output=True)
        # By turns, twice: a machine that other programs use is not the same machine for long.
        for turn in range(arguments.turns):
            for batch in (8, 16, 32, 64):
                seconds = train(arguments.twinage, folder / "faces", folder / f"alone{batch}-{turn}", batch,
                                arguments.steps, 1)
                alone.setdefault(str(batch), []).append(seconds)
            for rate in RATES:
                seconds = train(arguments.twinage, folder / "faces", folder / f"{rate}-{turn}", BATCH,
                                arguments.steps, 2, [str(HERE / "hosts.sh"), "2", rate, "0"])
                joined.setdefault(rate, []).append(seconds)
            # Two share a processor, and nothing is fitted to these: they try the model.
            for rate in RATES_OF_FOUR:
                seconds = train(arguments.twinage, folder / "faces", folder / f"four{rate}-{turn}", BATCH,
                                arguments.steps, 4, [str(HERE / "hosts.sh"), "4", rate, "0"])
                four.setdefault(rate, []).append(seconds)
            print(f"turn {turn + 1} of {arguments.turns}", file=sys.stderr)
    arguments.out.write_text(json.dumps({"alone": alone, "joined": joined, "four": four}, indent=1) + "\n")


def line_through(xs, ys):
    """(intercept, slope) of least squares."""
    x, y = statistics.mean(xs), statistics.mean(ys)
    slope = sum((a - x) * (b - y) for a, b in zip(xs, ys)) / sum((a - x) ** 2 for a in xs)
    return y - slope * x, slope


class Network:
    """What of a preset is exchanged."""

    def __init__(self, twinage, preset):
        said = json.loads(subprocess.run([twinage, "info", "--preset", preset, "--layers", "--json"],
                                         capture_output=True, text=True, check=True).stdout)
        model = said["model"]
        self.name, self.gradient_bytes = preset, 4 * model["parameters"]
        self.statistics_bytes = 2 * 4 * model["running_statistics"]  # forward and backward
        self.flops = 3 * model["flops_per_image"]  # forward, and two products backward
        norms = self.count(said["layers"])
        self.meetings = 2 * norms + 2

    def count(self, layer):
        own = sum(p["name"].endswith("running_mean") for p in layer["parameters"])
        return own + sum(self.count(part) for part in layer["parts"])

    def messages(self, ranks):
        # To each other rank. Buckets grow with the ranks (train/gradient_exchange.cpp).
        return 2 * math.ceil(self.gradient_bytes / (BUCKET * max(1, ranks // 8)))

    def bytes_sent(self, ranks):
        # Of the statistics each rank has one shard's, which go to all others.
        return 2 * (ranks - 1) / ranks * self.gradient_bytes + (ranks - 1) * self.statistics_bytes

    def exchange_seconds(self, ranks, rate, message, hidden):
        return (self.meetings * message * math.ceil(math.log2(ranks)) + self.messages(ranks) * (ranks - 1) * message
                + (1 - hidden) * self.bytes_sent(ranks) / rate)


def table(title, network, seconds_of_batch, batch, hidden, wait):
    print(f"\n{title}\n\n| ranks | " + " | ".join(LINKS) + " |\n|---:|" + "---:|" * len(LINKS))
    alone = seconds_of_batch(batch)
    for ranks in (r for r in RANKS if r <= batch):
        cells = []
        for rate, message in LINKS.values():
            t = seconds_of_batch(batch / ranks)
            if ranks > 1:
                t += wait + network.exchange_seconds(ranks, rate, message, hidden)
            cells.append(f"{1000 * t:,.0f} ms, {alone / t:.2f}x")
        print(f"| {ranks} | " + " | ".join(cells) + " |")


def model(arguments):
    data = json.loads(arguments.measured.read_text())
    alone = {int(b): min(t) for b, t in data["alone"].items()}
    joined = {rate: min(t) for rate, t in data["joined"].items()}
    fixed, per_face = line_through(list(alone), list(alone.values()))
    tiny = Network(arguments.twinage, "tiny")
    computing = fixed + per_face * BATCH / 2
    intercept, slope = line_through([1 / RATES[r] for r in joined], [t - computing for t in joined.values()])
    hidden = 1 - slope / tiny.bytes_sent(2)
    print("| measured, `tiny`, one thread | seconds a step | the fit says |\n|---|---:|---:|")
    for batch, t in alone.items():
        print(f"| one process, {batch} faces | {t:.4f} | {fixed + per_face * batch:.4f} |")
    for rate, t in joined.items():
        print(f"| two machines, {BATCH} faces, {rate} | {t:.4f} | {computing + intercept + slope / RATES[rate]:.4f} |")
    for rate, t in ((r, min(t)) for r, t in data.get("four", {}).items()):
        said = computing + 2 * intercept + slope * tiny.bytes_sent(4) / tiny.bytes_sent(2) / RATES[rate]
        print(f"| four machines on two processors, {BATCH} faces, {rate} (not fitted) | {t:.4f} | {said:.4f} |")
    print(f"\nA process takes {1000 * fixed:.1f} ms + {1000 * per_face:.2f} ms a face. Two wait {1000 * intercept:.1f} ms for "
          f"each other in {tiny.meetings} meetings and send {tiny.bytes_sent(2) / 1e6:.2f} MB each, of which "
          f"{slope / 1e6:.2f} MB show in the time" +
          (f" ({100 * hidden:.0f} % hidden)." if hidden > 0 else ": more than all of them, with the headers of "
           "packets and what is sent again; nothing is hidden."))
    hidden = min(max(hidden, 0), 1)
    table(f"`tiny`, batch {BATCH} in all, ranks like this machine's one thread (calculated):", tiny,
          lambda b: fixed + per_face * b, BATCH, hidden, intercept)
    big, rate = Network(arguments.twinage, "v3"), arguments.gpu_tflops * 1e12 * arguments.gpu_share
    table(f"`v3`, batch 256 in all, ranks of {arguments.gpu_tflops:g} TFLOP/s of which {100 * arguments.gpu_share:.0f} % are "
          "reached, nothing hidden, nobody waits (calculated):", big, lambda b: b * big.flops / rate, 256, 0, 0)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("twinage")
    commands = parser.add_subparsers(required=True)
    measuring = commands.add_parser("measure")
    measuring.add_argument("--out", type=pathlib.Path, required=True)
    measuring.add_argument("--steps", type=int, default=15)
    measuring.add_argument("--turns", type=int, default=2)
    measuring.set_defaults(work=measure)
    drawing = commands.add_parser("model")
    drawing.add_argument("measured", type=pathlib.Path)
    drawing.add_argument("--gpu-tflops", type=float, default=67, help="peak of a GPU; H100 SXM in float32: 67")
    drawing.add_argument("--gpu-share", type=float, default=0.5, help="of it that is reached: assumed")
    drawing.set_defaults(work=model)
    arguments = parser.parse_args()
    arguments.work(arguments)


if __name__ == "__main__":
    main()
