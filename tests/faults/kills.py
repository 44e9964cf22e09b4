#!/usr/bin/env python3
"""SIGKILL at random moments of a short training, the gallery at its end included:
kills.py TWINAGE SHIM [--full]

Every third run is killed a second time, while it goes on. Afterwards every file is whole, and going
on ends in the bytes of the undisturbed run. Exits with 1 when something of this does not hold.
"""

import argparse
import collections
import json
import random
import statistics
import struct
import sys
import tempfile

from rig import (Rig, common_arguments, for_each, problem_with_safetensors,
                 problems_with_files, remove)

FULL, SHORT = 100, 6
FACES, STEPS = 80, 4  # the gallery has two parts
SECOND_KILL = 3  # of every so many runs
MOST_TRIES = 20  # for a moment before the end


def step_of(run_folder):
    """How many steps the saved state has behind it; None without a whole one."""
    path = run_folder / "state.safetensors"
    if not path.exists() or problem_with_safetensors(path):
        return None
    data = path.read_bytes()
    (header_bytes,) = struct.unpack("<Q", data[:8])
    begin, _ = json.loads(data[8:8 + header_bytes])["counters"]["data_offsets"]
    return struct.unpack_from("<q", data, 8 + header_bytes + begin)[0]


def phase_of(run_folder):
    step = step_of(run_folder)
    if step is None:
        return "before the first state"
    if step < STEPS:
        return "between two states"
    if (run_folder / "gallery.safetensors").exists():
        return "in the gallery, a part of it saved"
    return "in the last validation or the gallery's first part"


def kill_once(rig, run_folder, moments, duration, start):
    """Runs until a random moment; tries again while the run ends before it."""
    for _ in range(MOST_TRIES):
        ended = start(moments.uniform(0, duration))
        if ended.code == -9:
            return ended
        remove(run_folder)
    return ended


def try_kill(rig, number, seed, duration):
    """(phases in which it was killed, problems)"""
    moments = random.Random(f"{seed} {number}")
    folder = rig.case(f"kill {number}")
    ended = kill_once(rig, folder, moments, duration,
                      lambda moment: rig.train(folder, kill_after=moment))
    phases = [phase_of(folder)]
    problems = [] if ended.code == -9 else [f"it was not killed: exit {ended.code}"]
    problems += problems_with_files(folder)
    if number % SECOND_KILL == 0:
        again = rig.go_on(folder, kill_after=moments.uniform(0, duration))
        if again.code == -9:
            phases.append(phase_of(folder))
            problems += problems_with_files(folder)
        elif again.code != 0:
            problems.append(f"going on with it: exit {again.code}: {again.err[-300:]}")
        ended = again
    problems += rig.problems_after(folder, ended)
    remove(folder)
    return phases, [f"kill {number} ({', then '.join(phases)}): {p}" for p in problems]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    common_arguments(parser)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rig = Rig(arguments.twinage, arguments.shim, folder, FACES, STEPS)
        # As long as it takes while so many others run.
        timed = [f"time {i}" for i in range(3 * arguments.jobs)]
        duration = statistics.median(
            for_each(timed, lambda name: rig.train(rig.case(name)).seconds, arguments.jobs))
        count = FULL if arguments.full else SHORT
        results = list(for_each(range(count),
                                lambda i: try_kill(rig, i, arguments.seed, duration),
                                arguments.jobs))
    kills = collections.Counter(phase for phases, _ in results for phase in phases)
    bad = sum(bool(problems) for _, problems in results)
    lines = ["| killed | times |", "|---|---:|",
             *(f"| {phase} | {n} |" for phase, n in sorted(kills.items())), "",
             f"{len(results)} runs (seed {arguments.seed}) were killed {kills.total()} times at "
             f"random moments of {duration:.2f} s; {len(results) - bad} of them had whole files "
             "and ended in the bytes of the undisturbed run."]
    print("\n".join(lines + [p for _, problems in results for p in problems]))
    if arguments.table:
        arguments.table.write_text("\n".join(lines) + "\n")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
