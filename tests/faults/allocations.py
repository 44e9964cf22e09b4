#!/usr/bin/env python3
"""Each allocation of `twinage predict` fails in turn: allocations.py TWINAGE SHIM [--full]

The program says so in one line and ends with exit code 1, or, where the memory was not needed
(the C library prints without a buffer, too), prints what it always prints. It never crashes, hangs
or prints anything else. Three ways: one thread; two threads; and everything from that allocation
on fails, as where the memory is really gone. Exits with 1 when something of this does not hold.

Before main() ours are the only constructors in a build without CUDA. With it, CUDA's runtime
registers every kernel there and crashes itself without memory, so those are left alone.
"""

import argparse
import collections
import sys
import tempfile

from rig import Fault, Rig, common_arguments, for_each, in_groups, run

WAYS = {"one thread": ("1", 0), "two threads": ("2", 0),
        "one thread, all after it": ("1", 1), "two threads, all after it": ("2", 1)}
SHORT_WAYS = {"one thread": 5, "two threads, all after it": 40}  # one of so many


class Predict:
    def __init__(self, rig):
        self.rig = rig
        self.picture = sorted(rig.faces.glob("*.jpg"))[0]
        self.with_cuda = b"built without CUDA" not in run([rig.twinage, "info"]).out

    def ended(self, way, nth, stacks=False):
        threads, every = WAYS[way]
        log = self.rig.case(f"{way} {nth}").with_suffix(".log")
        fault = Fault("allocate", nth, "ENOMEM", every)
        environment = {"LD_PRELOAD": str(self.rig.shim), "FAULT_LOG": str(log),
                       **fault.environment(), **({"FAULT_STACKS": "1"} if stacks else {})}
        command = [self.rig.twinage, "predict", str(self.rig.folder / "whole"), str(self.picture),
                   "--threads", threads]
        ended = run(command, environment, log)
        log.unlink(missing_ok=True)
        return ended


def what_became_of(ended, right):
    """(one word for the table, the problem or None)"""
    problem = ended.problem_with_ending()
    if problem:
        return "fault", problem
    if ended.code == 1:
        return "error line", None
    if ended.out != right:
        return "fault", f"exit 0, but it printed: {ended.out.decode(errors='replace')[:200]!r}"
    return "harmless", None


def chosen(predict, way, full):
    """Which allocations fail: all, or those before main() and one of every chain of callers."""
    whole = predict.ended(way, 0, stacks=True)
    assert whole.code == 0, whole.err
    in_all, before_main = whole.count("allocate"), whole.count("before_main")
    begin = before_main + 1 if predict.with_cuda else 1
    if full:
        return whole, range(begin, in_all + 1)
    first = {}
    for line in whole.log:
        if line.startswith("STACK "):
            _, nth, stack = line.split(" ")
            first.setdefault(stack, int(nth))
    stride = SHORT_WAYS[way]
    return whole, [*range(begin, before_main + 1, stride), *list(first.values())[::stride]]


def try_way(predict, way, full, jobs):
    """(how many allocations there are, results: number, where, what, problem)"""
    whole, numbers = chosen(predict, way, full)

    def one(nth):
        ended = predict.ended(way, nth)
        return nth, ended.failed_call(), *what_became_of(ended, whole.out)

    return whole.count("allocate"), sorted(for_each(numbers, one, jobs))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    common_arguments(parser)
    parser.add_argument("--way", choices=list(WAYS), action="append")
    arguments = parser.parse_args()
    lines = ["| | allocations in all | failed in turn | error line, exit 1 | harmless | faults |",
             "|---|---:|---:|---:|---:|---:|"]
    problems = []
    with tempfile.TemporaryDirectory() as folder:
        predict = Predict(Rig(arguments.twinage, arguments.shim, folder))
        for way in arguments.way or (WAYS if arguments.full else SHORT_WAYS):
            in_all, results = try_way(predict, way, arguments.full, arguments.jobs)
            became = collections.Counter(what for _, _, what, _ in results)
            lines.append(f"| {way} | {in_all} | {len(results)} | {became['error line']} | "
                         f"{became['harmless']} | {became['fault']} |")
            problems += [(f"{way}, allocation {nth} ({where})", problem)
                         for nth, where, _, problem in results if problem]
    print("\n".join(lines + in_groups(problems)))
    if arguments.table:
        arguments.table.write_text("\n".join(lines) + "\n")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
