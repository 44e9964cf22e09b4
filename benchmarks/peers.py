#!/usr/bin/env python3
"""Images a second of training steps and inference beside PyTorch, OpenVINO and onnxruntime, by turns. A table in
Markdown, and each round's figures on the way.

    benchmarks/peers.py build/benchmark/benchmarks/benchmark_train_step --python venv/bin/python --rounds 4

venv: one with PyPI's torch, numpy, onnx, onnxruntime, openvino. All do the same work on the same tower: a step is
forward, a mean square (ours: our loss), backward and ADADELTA. PyTorch's memory format is channels last,
the faster one here; its bf16 is autocast's.
"""
import argparse
import collections
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time

IMAGES = {"v3": 20, "tiny": 500}  # of a measurement, about


class Case:
    """PRESET:BATCH, or PRESET:BATCH:infer for inference alone."""

    def __init__(self, text):
        self.preset, batch, *kind = text.split(":")
        self.batch, self.kinds = int(batch), kind or ["train", "infer"]
        self.runs = max(5, IMAGES[self.preset] // self.batch)

    def __str__(self):
        return f"`{self.preset}`, batch {self.batch}"


def median_rate(f, batch, runs):
    f(), f()
    times = []
    for _ in range(runs):
        begin = time.perf_counter()
        f()
        times.append(time.perf_counter() - begin)
    return batch / statistics.median(times)


def torch_rates(preset, batch, runs, threads, bf16, kinds):
    import torch
    from torch_inception import PRESETS, tower
    torch.set_num_threads(threads)
    size, width, compact = PRESETS[preset]
    net, _ = tower(width, compact)
    net = net.to(memory_format=torch.channels_last)
    x = torch.randn(batch, 3, size, size).contiguous(memory_format=torch.channels_last)
    optimizer = torch.optim.Adadelta(net.parameters(), lr=1.0, rho=0.95, eps=1e-6)

    def step():
        optimizer.zero_grad()
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=bf16):
            loss = net(x).float().square().mean()
        loss.backward()
        optimizer.step()

    def infer():
        with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16, enabled=bf16):
            net(x)

    if "train" in kinds:
        print("train", median_rate(step, batch, runs))
    net.eval()
    print("infer", median_rate(infer, batch, runs))


def exported_rates(preset, batch, runs, threads):
    import onnxruntime
    import openvino
    import torch
    from torch_inception import PRESETS, tower
    size, width, compact = PRESETS[preset]
    net, _ = tower(width, compact)
    images = torch.randn(batch, 3, size, size)
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/net.onnx"
        torch.onnx.export(net.eval(), images, path, dynamo=False)
        images = images.numpy()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        name = session.get_inputs()[0].name
        print("onnxruntime-fp32", median_rate(lambda: session.run(None, {name: images}), batch, runs))
        for math in ("f32", "bf16"):
            core = openvino.Core()
            compiled = core.compile_model(path, "CPU", {"INFERENCE_PRECISION_HINT": math, "INFERENCE_NUM_THREADS": threads})
            request = compiled.create_infer_request()
            print(f"openvino-{'fp32' if math == 'f32' else math}", median_rate(lambda: request.infer([images]), batch, runs))


def ours(program, case, threads, math):
    rates = {}
    for kind in case.kinds:
        said = subprocess.run([program, "--preset", case.preset, "--batch", str(case.batch), "--threads", str(threads), "--runs",
                               str(case.runs), "--math", math, "--only", kind], check=True, capture_output=True, text=True).stdout
        rates[kind] = float(re.search(rf"{kind} +[\d.]+ ms +([\d.]+) images/s", said).group(1))
    return rates


def worker(python, *words):
    ended = subprocess.run([python, __file__, "worker", *map(str, words)], capture_output=True, text=True)
    if ended.returncode != 0:
        sys.exit(f"{' '.join(map(str, words))}: {ended.stderr[-600:]}")
    return {line.split()[0]: float(line.split()[1]) for line in ended.stdout.splitlines() if re.fullmatch(r"\S+ [\d.e+]+", line)}


def round_of(a, case, rates):
    for math in ("fp32", "bf16"):
        for kind, rate in ours(a.program, case, a.threads, math).items():
            rates[str(case), kind, math, "Twinage"].append(rate)
        for kind, rate in worker(a.python, "torch", case.preset, case.batch, case.runs, a.threads, math,
                                 ",".join(case.kinds)).items():
            rates[str(case), kind, math, "PyTorch"].append(rate)
    for name, rate in worker(a.python, "exported", case.preset, case.batch, case.runs, a.threads).items():
        peer, math = name.split("-")
        rates[str(case), "infer", math, peer].append(rate)


def main():
    if sys.argv[1:2] == ["worker"]:
        preset, batch, runs, threads = sys.argv[3], int(sys.argv[4]), int(sys.argv[5]), int(sys.argv[6])
        if sys.argv[2] == "torch":
            return torch_rates(preset, batch, runs, threads, sys.argv[7] == "bf16", sys.argv[8].split(","))
        return exported_rates(preset, batch, runs, threads)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", help="benchmark_train_step")
    parser.add_argument("--python", required=True, help="of the virtual environment")
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--cases", nargs="+", type=Case, metavar="PRESET:BATCH[:infer]",
                        default=[Case(c) for c in ("v3:8", "tiny:64", "v3:1:infer", "tiny:1:infer", "tiny:8:infer")])
    parser.add_argument("--threads", type=int, default=2)
    a = parser.parse_args()
    a.program = str(pathlib.Path(a.program).resolve())
    rates = collections.defaultdict(list)
    for turn in range(a.rounds):
        for case in a.cases:
            round_of(a, case, rates)
            print(f"round {turn + 1}: {case}: " + ", ".join(f"{k[1]} {k[2]} {k[3]} {r[-1]:.1f}" for k, r in rates.items()
                                                            if k[0] == str(case)), file=sys.stderr)
    print("| images a second, by round | Twinage | best peer | ratio: median |\n|---|---|---|---:|")
    for case, kind, math in dict.fromkeys(k[:3] for k in rates):
        mine = rates[case, kind, math, "Twinage"]
        peers = {k[3]: r for k, r in rates.items() if k[:3] == (case, kind, math) and k[3] != "Twinage"}
        best = max(peers, key=lambda p: statistics.median(peers[p]))
        ratio = statistics.median([m / p for m, p in zip(mine, peers[best])])
        text = [", ".join(f"{r:.1f}" if r < 100 else f"{r:.0f}" for r in values) for values in (mine, peers[best])]
        print(f"| {case}, {kind}, {math} | {text[0]} | {best} {text[1]} | {ratio:.2f} |")


if __name__ == "__main__":
    main()
