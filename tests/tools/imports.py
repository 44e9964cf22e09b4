#!/usr/bin/env python3
"""Imports run downwards: imports.py [ROOT]

    tools > train > siamese > layers > kernels > core        between folders
    the loop > model/ > settings/ > faces/                   within train/
    no operation of kernels/ includes another's files        but for those in SHARED and STANDS_ON

Benchmarks and tests may include everything, and nothing may include them. Prints every include that
does not obey, and every circle of files, and exits with 1 if there is one.
"""

import pathlib
import re
import subprocess
import sys

ORDER = ["core", "kernels", "layers", "siamese", "train/faces", "train/settings", "train/model", "train", "tools"]
# What operations stand on: the host's CUDA runner; tiles of products; anchors and pairs of a batch.
SHARED = {"simt", "product", "batch_loss"}
# A depthwise convolution is one, and slides its windows as a pool does: it takes their geometry.
STANDS_ON = {"depthwise_conv2d": {"conv2d", "pool"}}
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.M)


def level(path):
    """The place of a file in ORDER; None for benchmarks, tests and docs."""
    for place in reversed(range(len(ORDER))):
        if path.startswith(ORDER[place] + "/") and ORDER[place] != "train":
            return place
    return ORDER.index("train") if path.startswith("train/") else None


def operation(path):
    parts = path.split("/")
    return parts[1] if parts[0] == "kernels" and len(parts) > 2 else None


def problem_with(source, target):
    """Why `source` may not include `target`; None when it may."""
    here, there = level(source), level(target)
    if here is None:
        return None
    if there is None:
        return f"{source} includes {target}, which is for tests or benchmarks"
    if there > here:
        return f"{source} includes {target}: upwards, from {ORDER[here]} to {ORDER[there]}"
    mine, other = operation(source), operation(target)
    if mine is None or other is None or mine == other or other in SHARED | STANDS_ON.get(mine, set()):
        return None
    return f"{source} includes {target}: one operation another"


def circles(includes):
    """Files that include themselves over others, each circle once."""
    found, state, stack = [], {}, []

    def visit(file):
        state[file] = "open"
        stack.append(file)
        for target in includes.get(file, []):
            if state.get(target) == "open":
                found.append(" -> ".join([*stack[stack.index(target):], target]))
            elif target not in state:
                visit(target)
        stack.pop()
        state[file] = "done"

    for file in includes:
        if file not in state:
            visit(file)
    return found


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else __file__).resolve()
    if root.is_file():
        root = root.parents[2]
    listed = subprocess.run(["git", "ls-files", "*.h", "*.cpp", "*.cu"], cwd=root, check=True,
                            capture_output=True, text=True).stdout.split()
    includes = {}
    for file in listed:
        targets = INCLUDE.findall((root / file).read_text())
        includes[file] = [target for target in targets if (root / target).exists()]
    problems = [problem for file, targets in includes.items() for target in targets
                if (problem := problem_with(file, target))]
    problems += [f"a circle: {circle}" for circle in circles(includes)]
    assert len(includes) > 100, f"only {len(includes)} files in {root}"
    print("\n".join(problems) or f"{len(includes)} files: imports run downwards, none in a circle")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
