#!/usr/bin/env python3
"""Several processes train together, one of them is killed at a random moment, and another number of
them goes on: kill_ranks.py TWINAGE [--kills N] [--seed N] [--table FILE]

The others have to end within 10 s of the kill, mpirun has to say which was killed, every file has to
be whole, and going on has to end in the bytes of one process that nothing happened to. Every third
run is killed a second time, while it goes on. 50 kills take 10 minutes on 2 cores; tests/tools/ranks.sh
has one of them for CI. Exits with 1 when something of this does not hold.
"""

import argparse
import collections
import os
import pathlib
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time

import rig

PROCESSES = (2, 3, 4, 8)
SHARDS, FACES, STEPS = 8, 60, 6
SECOND_KILL = 3     # of every so many runs
PATIENCE = 10       # seconds for the others to end
MOST_TRIES = 20     # for a moment before the end
OPTIONS = ["--batch", "8", "--seed", "3"]
for setting in (f"training.shards={SHARDS}", "training.validate_steps=3", "readout.gallery_share=1000",
                "training.checkpoint_steps=1"):
    OPTIONS += ["--set", setting]
# As root in a container, and with more processes than processors.
ENVIRONMENT = {**os.environ, "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
               "OMPI_MCA_rmaps_base_oversubscribe": "1"}


def ranks_of(mpirun):
    """The processes that an mpirun started."""
    children = pathlib.Path(f"/proc/{mpirun}/task/{mpirun}/children")
    try:
        pids = [int(pid) for pid in children.read_text().split()]
        return [pid for pid in pids if b"train" in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()]
    except OSError:
        return []


class Trainings:
    def __init__(self, twinage, folder):
        self.twinage, self.folder = twinage, pathlib.Path(folder)
        self.faces = self.folder / "faces"
        made = rig.run([twinage, "synth", "--out", str(self.faces), "--count", str(FACES), "--size", "80",
                        "--seed", "5"])
        assert made.code == 0, made.err
        whole = self.folder / "whole"
        code, _, err = self.run(1, whole)
        assert code == 0, err
        self.model = rig.Rig.model_of(whole)

    def run(self, processes, run_folder, kill=None):
        """(exit code, seconds from the kill to the end, stderr); kill: (seconds, which rank)."""
        command = [self.twinage, "train", "--out", str(run_folder), "--threads", "1"]
        if (run_folder / "state.safetensors").exists():
            command.append("--resume")
        else:
            command += ["--data", str(self.faces), "--steps", str(STEPS), *OPTIONS]
        if processes > 1:
            command = ["mpirun", "-n", str(processes), *command]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.PIPE, env=ENVIRONMENT, text=True)
        killed = None
        if kill:
            time.sleep(kill[0])
            while process.poll() is None and len(ranks := ranks_of(process.pid)) < processes:
                time.sleep(0.01)
            if process.poll() is None:
                os.kill(ranks[kill[1] % processes], signal.SIGKILL)
                killed = time.monotonic()
        try:
            _, err = process.communicate(timeout=rig.TIME_LIMIT)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            return None, rig.TIME_LIMIT, f"it did not end within {rig.TIME_LIMIT} s"
        return process.returncode, killed and time.monotonic() - killed, err

    def kill_once(self, processes, run_folder, chance, duration):
        """(seconds from the kill to the end, problems); tries again while a run ends before its moment."""
        for _ in range(MOST_TRIES):
            code, seconds, err = self.run(processes, run_folder,
                                          (chance.uniform(0, duration), chance.randrange(processes)))
            if code != 0:
                break
            rig.remove(run_folder)
        problems = []
        if seconds is None:
            problems.append(f"it was not killed: exit {code}: {err[-300:]}")
        elif seconds > PATIENCE:
            problems.append(f"the others ended {seconds:.1f} s after the kill")
        elif "signal 9 (Killed)" not in err:
            problems.append(f"nobody said that one was killed: {err[-300:]!r}")
        return seconds, problems + rig.problems_with_files(run_folder)

    def try_kill(self, number, seed, durations):
        chance = random.Random(f"{seed} {number}")
        folder = self.folder / f"run{number}"
        counts = [chance.choice(PROCESSES)]
        seconds, problems = self.kill_once(counts[0], folder, chance, durations[counts[0]])
        waits = [seconds]
        if number % SECOND_KILL == 0:
            counts.append(chance.choice([n for n in PROCESSES if n != counts[-1]]))
            seconds, more = self.kill_once(counts[-1], folder, chance, durations[counts[-1]])
            waits.append(seconds)
            problems += more
        counts.append(chance.choice([n for n in (1, *PROCESSES) if n != counts[-1]]))
        code, _, err = self.run(counts[-1], folder)
        if code != 0:
            problems.append(f"going on: exit {code}: {err[-300:]}")
        elif rig.Rig.model_of(folder) != self.model:
            problems.append("the model's bytes are not those of the undisturbed run")
        problems += [f"left behind: {f.name}" for f in sorted(folder.glob("*.tmp*"))]
        problems += rig.problems_with_files(folder)
        rig.remove(folder)
        shape = " -> ".join(map(str, counts))
        return shape, [w for w in waits if w is not None], [f"run {number}, {shape}: {p}" for p in problems]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("twinage")
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--table", type=pathlib.Path, help="write the results here, in Markdown")
    arguments = parser.parse_args()
    shapes, waits, problems, runs = collections.Counter(), [], [], 0
    with tempfile.TemporaryDirectory() as folder:
        trainings = Trainings(str(pathlib.Path(arguments.twinage).resolve()), folder)
        durations = {}
        for processes in PROCESSES:
            started = time.monotonic()
            code, _, err = trainings.run(processes, trainings.folder / f"time{processes}")
            durations[processes] = time.monotonic() - started
            if code != 0:
                sys.exit(f"{processes} processes that nobody kills: exit {code}: {err[-300:]}")
        while len(waits) < arguments.kills:
            shape, seconds, found = trainings.try_kill(runs, arguments.seed, durations)
            runs += 1
            shapes[shape] += 1
            waits += seconds
            problems += found
            if sys.stderr.isatty():
                print(f"\r{len(waits)} of {arguments.kills} kills, {len(problems)} problems ", end="",
                      file=sys.stderr, flush=True)
            if len(problems) >= 10:
                break
    bad = len({p.split(",")[0] for p in problems})
    lines = ["| processes, killed and gone on with by | runs |", "|---|---:|",
             *(f"| {shape} | {n} |" for shape, n in sorted(shapes.items())), "",
             f"{runs} runs (seed {arguments.seed}) were killed {len(waits)} times at random moments of "
             + ", ".join(f"{d:.1f} s ({n})" for n, d in durations.items())
             + f"; the others ended after {statistics.median(waits):.2f} s in the median, {max(waits):.2f} s at "
             f"most; {runs - bad} of them had whole files and ended in the bytes of one process."]
    print("\n".join(lines + problems))
    if arguments.table:
        arguments.table.write_text("\n".join(lines) + "\n")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
