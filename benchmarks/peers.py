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

SETS = {"v3": (8, 3), "tiny": (64, 7)}  # images of a batch, repetitions


def median_rate(f, batch, runs):
    f(), f()
    times = []
    for _ in range(runs):
        begin = time.perf_counter()
        f()
        times.append(time.perf_counter() - begin)
    return batch / statistics.median(times)


def torch_rates(preset, batch, runs, threads, bf16):
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


def ours(program, preset, threads, math):
    batch, runs = SETS[preset]
    said = subprocess.run([program, "--preset", preset, "--batch", str(batch), "--threads", str(threads), "--runs",
                           str(runs), "--math", math], check=True, capture_output=True, text=True).stdout
    return {kind: float(re.search(rf"{kind} +[\d.]+ ms +([\d.]+) images/s", said).group(1)) for kind in ("train", "infer")}


def worker(python, *words):
    ended = subprocess.run([python, __file__, "worker", *map(str, words)], capture_output=True, text=True)
    if ended.returncode != 0:
        sys.exit(f"{' '.join(map(str, words))}: {ended.stderr[-600:]}")
    return {line.split()[0]: float(line.split()[1]) for line in ended.stdout.splitlines() if re.fullmatch(r"\S+ [\d.e+]+", line)}


def round_of(a, preset, rates):
    batch, runs = SETS[preset]
    for math in ("fp32", "bf16"):
        for kind, rate in ours(a.program, preset, a.threads, math).items():
            rates[preset, kind, math, "Twinage"].append(rate)
        for kind, rate in worker(a.python, "torch", preset, batch, runs, a.threads, math).items():
            rates[preset, kind, math, "PyTorch"].append(rate)
    for name, rate in worker(a.python, "exported", preset, batch, runs, a.threads).items():
        peer, math = name.split("-")
        rates[preset, "infer", math, peer].append(rate)


def main():
    if sys.argv[1:2] == ["worker"]:
        preset, batch, runs, threads = sys.argv[3], int(sys.argv[4]), int(sys.argv[5]), int(sys.argv[6])
        if sys.argv[2] == "torch":
            return torch_rates(preset, batch, runs, threads, sys.argv[7] == "bf16")
        return exported_rates(preset, batch, runs, threads)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", help="benchmark_train_step")
    parser.add_argument("--python", required=True, help="of the virtual environment")
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--threads", type=int, default=2)
    a = parser.parse_args()
    a.program = str(pathlib.Path(a.program).resolve())
    rates = collections.defaultdict(list)
    for turn in range(a.rounds):
        for preset in SETS:
            round_of(a, preset, rates)
            print(f"round {turn + 1}: {preset}: " + ", ".join(f"{k[1]} {k[2]} {k[3]} {r[-1]:.1f}" for k, r in rates.items()
                                                              if k[0] == preset), file=sys.stderr)
    print("| images a second, by round | Twinage | best peer | ratio: median |\n|---|---|---|---:|")
    for preset, kind, math in sorted({k[:3] for k in rates}, reverse=True):
        mine = rates[preset, kind, math, "Twinage"]
        peers = {k[3]: r for k, r in rates.items() if k[:3] == (preset, kind, math) and k[3] != "Twinage"}
        best = max(peers, key=lambda p: statistics.median(peers[p]))
        ratio = statistics.median([m / p for m, p in zip(mine, peers[best])])
        text = [", ".join(f"{r:.1f}" if r < 100 else f"{r:.0f}" for r in values) for values in (mine, peers[best])]
        print(f"| `{preset}`, batch {SETS[preset][0]}, {kind}, {math} | {text[0]} | {best} {text[1]} | {ratio:.2f} |")


if __name__ == "__main__":
    main()
