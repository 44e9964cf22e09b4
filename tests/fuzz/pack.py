#!/usr/bin/env python3
"""Inputs of a fuzzer in one text file, a line of hexadecimal each, for git.

  pack.py pack FOLDER FILE [MOST]   adds MOST (25) inputs of FOLDER to those of FILE: in the order
                                    of their sizes, in even steps from the smallest on
  pack.py unpack FILE FOLDER        one file each"""
import hashlib
import pathlib
import sys

LARGEST = 2048  # bytes


def lines_of(file):
    return file.read_text().splitlines() if file.exists() else []


def main():
    action, source, target = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
    if action == "pack":
        lines = lines_of(target)
        known = set(lines)
        most = int(sys.argv[4]) if len(sys.argv) > 4 else 25
        inputs = [path.read_bytes() for path in source.iterdir() if path.is_file()]
        fresh = sorted({i for i in inputs if 0 < len(i) <= LARGEST and i.hex() not in known},
                       key=lambda i: (len(i), i))
        step = max(1, -(-len(fresh) // most))
        lines += [i.hex() for i in fresh[::step]]
        target.write_text("".join(line + "\n" for line in lines))
    elif action == "unpack":
        target.mkdir(parents=True, exist_ok=True)
        for line in lines_of(source):
            if not line.startswith("#"):
                content = bytes.fromhex(line)
                (target / hashlib.sha1(content).hexdigest()).write_bytes(content)
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
