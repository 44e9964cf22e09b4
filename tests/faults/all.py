#!/usr/bin/env python3
"""All faults, not a sample of them: all.py TWINAGE SHIM [--jobs N] [--table FILE]

    cmake --preset release && cmake --build --preset release --target twinage fail_calls
    tests/faults/all.py build/release/twinage build/release/tests/libfail_calls.so \\
      --table benchmarks/results/faults.md

Takes an hour and a half on 2 cores. Exits with 1 when one of the parts does.
"""

import argparse
import pathlib
import subprocess
import sys
import tempfile

from rig import common_arguments

PARTS = {
    "calls": "System calls",
    "kills": "SIGKILL",
    "allocations": "Allocations of `twinage predict`",
}
TITLE = """# Faults on purpose

By `tests/faults/all.py`: each system call on the files of a short training fails in turn, the
training is killed at random moments, and each allocation of `twinage predict` fails in turn.
`tests/faults/fail_calls.cpp` says how a call is made to fail.
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    common_arguments(parser)
    arguments = parser.parse_args()
    here = pathlib.Path(__file__).resolve().parent
    text, failed = TITLE, []
    with tempfile.TemporaryDirectory() as folder:
        for part, title in PARTS.items():
            table = pathlib.Path(folder) / part
            ended = subprocess.run([sys.executable, here / f"{part}.py", arguments.twinage,
                                    arguments.shim, "--full", "--jobs", str(arguments.jobs),
                                    "--table", table])
            failed += [part] * (ended.returncode != 0)
            text += f"\n## {title}\n\n" + (table.read_text() if table.exists() else "It failed.\n")
    if arguments.table:
        arguments.table.write_text(text)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
