#!/usr/bin/env python3
"""What it costs to start: `twinage predict` of one picture, from nothing to its answer.

    benchmarks/start.py build/release/twinage
    benchmarks/start.py OLD NEW --runs 60

Draws a few faces, trains the smallest network for some steps, and then runs each program by turns:
`--version` (what loading the program itself takes) and `predict` of a face. Printed are medians: of
the time from start to end, of the processor's time (which other work on the machine disturbs less),
and of the most memory that was resident.
"""
import argparse
import os
import statistics
import subprocess
import tempfile
import time
from pathlib import Path


def measure(command):
    """Milliseconds, milliseconds of the processor, MB."""
    begin = time.perf_counter()
    nothing = (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)
    process = os.posix_spawn(command[0], command, os.environ, file_actions=[nothing])
    _, status, usage = os.wait4(process, 0)
    wall = time.perf_counter() - begin
    if status != 0:
        raise SystemExit(f"start.py: {' '.join(command)} has failed")
    return 1e3 * wall, 1e3 * (usage.ru_utime + usage.ru_stime), usage.ru_maxrss / 1024


def trained_run(program, folder):
    """The folder of a model, and a face that it has not seen."""
    def run(*words):
        subprocess.run([program, *words], check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
    run("synth", "--out", f"{folder}/faces", "--count", "200", "--seed", "1")
    run("synth", "--out", f"{folder}/others", "--count", "1", "--seed", "2")
    run("train", "--data", f"{folder}/faces", "--steps", "20", "--batch", "32", "--out",
        f"{folder}/run")
    return f"{folder}/run", str(next(Path(folder, "others").iterdir()))


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("programs", nargs="+", help="twinage, or several builds of it")
    parser.add_argument("--runs", type=int, default=40, help="of each command (default: 40)")
    options = parser.parse_args()
    programs = [str(Path(program).resolve()) for program in options.programs]
    with tempfile.TemporaryDirectory() as folder:
        run, face = trained_run(programs[0], folder)
        commands = [[program, *words] for words in (["--version"], ["predict", run, face])
                    for program in programs]
        results = [[] for _ in commands]
        for turn in range(options.runs + 1):
            for command, result in zip(commands, results):
                measured = measure(command)
                if turn > 0:  # the first finds nothing in the system's caches
                    result.append(measured)
    names = [program for _ in range(2) for program in options.programs]
    width = max(len(name) for name in names) + 10
    print(f"{'':{width}} {'ms':>8} {'least':>8} {'cpu ms':>8} {'MB':>8}")
    for command, name, result in zip(commands, names, results):
        wall, cpu, memory = zip(*result)
        label = f"{name} {command[1]}"
        print(f"{label:{width}} {statistics.median(wall):8.1f} {min(wall):8.1f} "
              f"{statistics.median(cpu):8.1f} {statistics.median(memory):8.1f}")


if __name__ == "__main__":
    main()
