#!/usr/bin/env python3
"""Holds the documents to the code: quotations, files and links that are no longer so are named.

In docs/*.md and README.md, every line of a block marked ```cpp has to stand in the sources (blanks
and comments apart; code that nobody quotes from goes into an indented block), every `folder/file`
and every link has to exist. Exits with 1 when something does not.
"""

import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDERS = "core|kernels|layers|siamese|train|tools|tests|benchmarks|cmake|docs"


def squeezed(text):
    return re.sub(r"\s+", "", re.sub(r"//.*", "", text))


def tracked(*patterns):
    listed = subprocess.run(["git", "ls-files", *patterns], cwd=ROOT, check=True,
                            capture_output=True, text=True)
    return [ROOT / name for name in listed.stdout.split()]


def faults_of(document, code):
    text = document.read_text()
    for block in re.findall(r"^```cpp\n(.*?)^```", text, re.S | re.M):
        for line in block.splitlines():
            if squeezed(line) not in code:
                yield f"no source has this line any more: {line.strip()}"
    for name in re.findall(rf"`((?:{FOLDERS})/[\w./-]+)`", text):
        # `train/augment` stands for both augment.h and augment.cpp.
        if not (ROOT / name).exists() and not list(ROOT.glob(name + ".*")):
            yield f"no such file: {name}"
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text):
        if "://" not in target and not (document.parent / target).exists():
            yield f"a link leads nowhere: {target}"


def main():
    code = squeezed("\n".join(p.read_text() for p in tracked("*.h", "*.cpp", "*.cu")))
    documents = tracked("docs/*.md", "README.md")
    faults = [f"{d.relative_to(ROOT)}: {fault}" for d in documents for fault in faults_of(d, code)]
    print("\n".join(faults) if faults else f"{len(documents)} documents say what the code says")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
