#!/usr/bin/env python3
"""Each system call on the files of a short training fails in turn: calls.py TWINAGE SHIM [--full]

Afterwards every file is whole, and going on (--resume; from the start where no state was written
yet) ends in the bytes of the undisturbed run. A write that was interrupted or short has to be
gone on with, without a word. Exits with 1 when something of this does not hold.
"""

import argparse
import collections
import sys
import tempfile

from rig import Fault, Rig, common_arguments, for_each, in_groups, remove, spread

ERRORS = {
    "write": ["ENOSPC", "EIO", "EINTR", "short", "kill"],
    "fsync": ["ENOSPC", "EIO", "EINTR", "kill"],
    "rename": ["ENOSPC", "EIO", "EINTR", "kill"],
    "open": ["ENOSPC", "EIO", "EINTR", "EMFILE", "kill"],
    "close": ["ENOSPC", "EIO", "EINTR", "kill"],
    "read": ["EIO", "EINTR", "short"],
    "mkdir": ["ENOSPC", "EIO", "kill"],
    "unlink": ["EIO", "kill"],
    "truncate": ["EIO", "EINTR", "kill"],
    "reserve": ["ENOSPC", "EINTR", "EOPNOTSUPP", "kill"],
    "lock": ["EINTR", "ENOLCK"],
}
MUST_GO_ON = {("write", "EINTR"), ("write", "short"), ("read", "short"), ("read", "EINTR")}
SHORT = 2  # of each call and error
# The full run takes every call, but of the writes, most of which are one tensor after another of a
# state or model, so many, evenly spread.
WRITES = {"ENOSPC": 1200}
WRITES_OF_OTHER_ERRORS = 400


def faults(rig, full):
    for call, errors in ERRORS.items():
        count = rig.whole.count(call)
        for place, error in enumerate(errors):
            if not full:  # the errors take turns
                few = SHORT * len(errors)
                chosen = spread(count, few)[place::len(errors)] or spread(count, 1)
            elif call == "write":
                chosen = spread(count, WRITES.get(error, WRITES_OF_OTHER_ERRORS))
            else:
                chosen = range(1, count + 1)
            yield from (Fault(call, nth, error) for nth in chosen)
    # All writes of one run: every other one is interrupted, and every one is short.
    yield Fault("write", 1, "EINTR", 2)
    yield Fault("write", 1, "short", 1)


def try_fault(rig, fault):
    """(fault, what the call was about, exit code, problems)"""
    folder = rig.case(fault)
    ended = rig.train(folder, fault)
    problems = []
    if not ended.failed_call():
        problems.append(f"the run never came to this call: {ended.err[-300:]}")
    elif fault.error == "kill":
        if ended.code != -9:
            problems.append(f"it should have been killed, but: exit {ended.code}")
    elif ending := ended.problem_with_ending():
        problems.append(ending)
    elif ended.code != 0 and (fault.call, fault.error) in MUST_GO_ON:
        problems.append(f"it was not gone on with: {ended.err[-300:]}")
    problems += rig.problems_after(folder, ended)
    remove(folder)
    about = ended.failed_call().replace(str(rig.folder) + "/", "").replace(folder.name, "RUN")
    return fault, about, ended, problems


def problems_of_order(log):
    """What a power failure could make of files: a rename before the file is on the disk."""
    written, problems, folders = {}, [], {}
    for line in log:
        call, _, path = line.split(" ", 2)
        if call == "write":
            written[path] = True
        elif call == "fsync":
            written[path] = False
            folders.pop(path, None)
        elif call == "rename":
            source, target = path.split(" -> ")
            if written.pop(source, True):
                problems.append(f"{target} was renamed before it was flushed")
            folders[target.rsplit("/", 1)[0]] = target
    return problems + [f"the folder was not flushed after the rename of {t}"
                       for t in folders.values()]


def table(results):
    """One row for each call and error."""
    rows = collections.defaultdict(collections.Counter)
    for fault, _, ended, problems in results:
        row = rows[fault.call, fault.error]
        row["calls"] += 1
        row["went on" if ended.code == 0 else "ended"] += 1
        row["bad"] += bool(problems)
    lines = ["| call | error | failed in turn | the run went on | exit 1, or killed | "
             "bytes of the undisturbed run in the end |", "|---|---|---:|---:|---:|---:|"]
    for (call, error), row in rows.items():
        lines.append(f"| {call} | {error} | {row['calls']} | {row['went on']} | {row['ended']} | "
                     f"{row['calls'] - row['bad']} |")
    total = len(results)
    bad = sum(bool(r[3]) for r in results)
    return lines + ["", f"{total} calls failed in turn; after {total - bad} of them every file was "
                    "whole and the model had the bytes of the undisturbed run in the end."]


def messages(results):
    """The error lines, each with an example of the call that led to it."""
    seen = {}
    for fault, about, ended, _ in results:
        for line in ended.err.splitlines():
            if line.startswith("twinage: "):
                line = line.split("/")[0] + " ... " + line.rsplit(":", 1)[-1]
                seen.setdefault(line, f"{fault.call} {fault.error} of {about}")
    return [f"{line}   <- {example}" for line, example in sorted(seen.items())]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    common_arguments(parser)
    parser.add_argument("--call", help="only this kind of call")
    parser.add_argument("--messages", action="store_true", help="print every error line once")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rig = Rig(arguments.twinage, arguments.shim, folder)
        problems = [("the undisturbed run", p) for p in problems_of_order(rig.whole.log)]
        chosen = [f for f in faults(rig, arguments.full) if arguments.call in (None, f.call)]
        results = list(for_each(chosen, lambda f: try_fault(rig, f), arguments.jobs))
    for fault, about, _, found in results:
        problems += [(f"{fault} ({about})", problem) for problem in found]
    results.sort(key=lambda r: (list(ERRORS).index(r[0].call), r[0].error, r[0].nth))
    text = "\n".join(table(results))
    print("\n".join([*(messages(results) if arguments.messages else []), text, *in_groups(problems)]))
    if arguments.table:
        arguments.table.write_text(text + "\n")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
