#!/usr/bin/env python3
"""Images a second of training steps by one and by two processes on the same two cores, and of PyTorch's
DistributedDataParallel (gloo), by turns. A table in Markdown.

    benchmarks/ddp.py build/release/twinage --python venv/bin/python --rounds 3

venv: one with PyTorch (pip install torch numpy). Twinage reads, decodes and varies faces, has the loss over
all pairs of the whole batch and batch norms over it, and ends in the same bits for any number of processes;
PyTorch's batch is a tensor of noise that is there, its loss a mean square, its batch norms see their own
process's images only: less work. Of PyTorch the better of two memory formats counts.
"""
import argparse
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
SPARE = 3  # steps that are not counted: memory and kernels are new
SETS = {"tiny": (64, 16), "v3": (8, 6)}  # images of a batch, steps


def run(command, **options):
    ended = subprocess.run(command, capture_output=True, text=True, **options)
    if ended.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}: exit {ended.returncode}: {ended.stderr[-600:]}")
    return ended.stdout


def twinage(arguments, folder, preset, ranks, threads):
    batch, steps = SETS[preset]
    run_folder = pathlib.Path(tempfile.mkdtemp(dir=folder)) / "run"
    launcher = ["mpirun", "--quiet", "-n", str(ranks)] if ranks > 1 else []
    run([*launcher, arguments.twinage, "train", "--data", folder / "faces", "--preset", preset, "--batch", str(batch),
         "--steps", str(steps + SPARE), "--threads", str(threads), "--seed", "3", "--out", run_folder,
         "--set", f"training.shards={ranks}", "--set", "training.record_steps=1",
         "--set", "training.validate_steps=100000", "--set", "readout.gallery_max=2", "--set", "readout.mirror=false",
         "--set", "readout.zooms=false"],
        env=dict(os.environ, OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1"))
    records = [json.loads(line) for line in (run_folder / "metrics.jsonl").read_text().splitlines()]
    times = [r["seconds"] for r in records if r["event"] == "step"]
    return batch / statistics.median([b - a for a, b in zip(times, times[1:])][SPARE - 1:])


def torch_processes(arguments, _, preset, ranks, layout):
    batch, steps = SETS[preset]
    command = [arguments.python, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={ranks}", __file__,
               "worker", "--preset", preset, "--batch", str(batch // ranks), "--steps", str(steps), "--threads",
               str(2 // ranks), "--layout", layout]
    said = run(command, env=dict(os.environ, OMP_NUM_THREADS=str(2 // ranks)))
    return batch / float(re.search(r"seconds a step: ([0-9.e-]+)", said).group(1))


def worker(arguments):
    import torch
    import torch.distributed as distributed
    from torch.nn.parallel import DistributedDataParallel
    from torch_inception import PRESETS, tower

    torch.set_num_threads(arguments.threads)
    distributed.init_process_group("gloo")
    size, width, compact = PRESETS[arguments.preset]
    torch.manual_seed(1)
    net, _ = tower(width, compact)
    x = torch.randn(arguments.batch, 3, size, size)
    if arguments.layout == "channels-last":
        net, x = net.to(memory_format=torch.channels_last), x.contiguous(memory_format=torch.channels_last)
    if distributed.get_world_size() > 1:
        net = DistributedDataParallel(net, gradient_as_bucket_view=True, broadcast_buffers=False)
    optimizer = torch.optim.Adadelta(net.parameters(), lr=1.0, rho=0.95, eps=1e-6)
    net.train()
    times = []
    for _ in range(arguments.steps + SPARE):
        begin = time.perf_counter()
        optimizer.zero_grad()
        net(x).square().mean().backward()
        optimizer.step()
        times.append(time.perf_counter() - begin)
    if distributed.get_rank() == 0:
        print(f"seconds a step: {statistics.median(times[SPARE:])}")
    distributed.destroy_process_group()


def main():
    if sys.argv[1:2] == ["worker"]:
        parser = argparse.ArgumentParser()
        parser.add_argument("worker")
        for option in ("batch", "steps", "threads"):
            parser.add_argument(f"--{option}", type=int)
        for option in ("preset", "layout"):
            parser.add_argument(f"--{option}")
        return worker(parser.parse_args())
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("twinage")
    parser.add_argument("--python", help="of a virtual environment with PyTorch; without it Twinage alone")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    arguments.twinage = str(pathlib.Path(arguments.twinage).resolve())
    rows = [("Twinage, 1 process, 1 thread", lambda *a: twinage(*a, 1, 1)),
            ("Twinage, 1 process, 2 threads", lambda *a: twinage(*a, 1, 2)),
            ("Twinage, 2 processes, 1 thread each", lambda *a: twinage(*a, 2, 1))]
    for layout in ("contiguous", "channels-last") if arguments.python else ():
        for ranks in (1, 2):
            what = "1 process, 2 threads" if ranks == 1 else "DDP, 2 processes, 1 thread each"
            rows.append((f"PyTorch, {what}, {layout}",
                         lambda *a, n=ranks, kind=layout: torch_processes(*a, n, kind)))
    rates = {}
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        run([arguments.twinage, "synth", "--out", folder / "faces", "--count", "120", "--size", "80", "--seed", "5"])
        for turn in range(arguments.rounds):
            for preset in SETS:
                for name, measure in rows:
                    rates.setdefault((preset, name), []).append(measure(arguments, folder, preset))
                    print(f"round {turn + 1}: {preset}: {name}: {rates[preset, name][-1]:.1f}", file=sys.stderr)
    print("| images a second: median (least, most) | " + " | ".join(f"`{p}`, batch {SETS[p][0]}" for p in SETS) +
          " |\n|---|" + "---:|" * len(SETS))
    for name, _ in rows:
        cells = [rates[preset, name] for preset in SETS]
        print(f"| {name} | " + " | ".join(f"{statistics.median(c):.1f} ({min(c):.1f}, {max(c):.1f})" for c in cells) + " |")


if __name__ == "__main__":
    main()
