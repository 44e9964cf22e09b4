#!/usr/bin/env python3
"""Deletes each barrier and each wait of the CUDA kernels, one at a time, and shows who notices.

For every __syncthreads, __syncwarp, __pipeline_commit and __pipeline_wait_prior in the kernels'
sources, the operation's tests are run on device simt with that one call taken out, in the plain
build and in the build with checks. Nothing in the source tree is changed: a copy is compiled, and
linked in front of the library. Prints a table in Markdown; exits with 1 if nobody noticed one.

    cmake --preset release && cmake --build --preset release --target tests_kernels
    cmake --preset simt-check && cmake --build --preset simt-check --target tests_kernels
    tests/tools/delete_each_barrier.py                 # all kernels
    tests/tools/delete_each_barrier.py conv2d product  # these folders of kernels/ only
"""

import argparse
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
CALL = re.compile(
    r"\b(__syncthreads|__syncwarp|__pipeline_commit|__pipeline_wait_prior)\s*\([^;()]*(\([^()]*\)[^;()]*)*\)")
# The plain build notices by wrong values or by what the runner says, and some orders show more.
PLAIN_RUNS = [
    {"TWINAGE_SIMT_ORDER": "forward", "TWINAGE_SIMT_COPIES": "late"},
    {"TWINAGE_SIMT_ORDER": "reversed", "TWINAGE_SIMT_COPIES": "eager"},
    {"TWINAGE_SIMT_ORDER": "shuffled", "TWINAGE_SIMT_COPIES": "late"},
]
CHECK_RUNS = [{}]


class Build:
    """One build folder: how to compile a kernel's source and link the tests with it."""

    def __init__(self, folder):
        self.folder = folder
        self.commands = {}
        for entry in json.loads((folder / "compile_commands.json").read_text()):
            name = pathlib.Path(entry["file"]).name
            if name.endswith("_cuda_simt.cpp"):
                self.commands[name.removesuffix("_simt.cpp")] = shlex.split(entry["command"])
        listed = subprocess.run(["ninja", "-C", str(folder), "-t", "commands", "tests_kernels"],
                                check=True, capture_output=True, text=True)
        self.link = listed.stdout.strip().splitlines()[-1]

    def test_binary(self, sources, overlay, into):
        """The tests with these sources compiled anew, files in `overlay` hiding those of the tree."""
        objects = []
        for source in sources:
            wrapper = into / f"{source.stem}.cpp"
            wrapper.write_text(f'#include "{source.relative_to(ROOT)}"\n')
            # The verdict is the same without much optimisation, and comes sooner.
            command = ["-O1" if word == "-O3" else word for word in self.commands[source.stem]]
            command[command.index("-o") + 1] = str(into / f"{source.stem}.o")
            command[command.index("-c") + 1] = str(wrapper)
            # In front of the tree's own -I.
            first = next(i for i, word in enumerate(command) if word.startswith("-I"))
            command.insert(first, f"-I{overlay}")
            subprocess.run(command, cwd=self.folder, check=True)
            objects.append(str(into / f"{source.stem}.o"))
        binary = into / "tests"
        link = self.link.replace(
            "-o tests/tests_kernels", f"-o {binary} " + " ".join(map(shlex.quote, objects)))
        subprocess.run(link, shell=True, cwd=self.folder, check=True)
        return binary


def included(file):
    """This file and what it includes of the tree."""
    seen, left = set(), [file]
    while left:
        file = left.pop()
        if file in seen or not file.exists():
            continue
        seen.add(file)
        left += [ROOT / name for name in re.findall(r'#include "(kernels/[^"]+)"', file.read_text())]
    return seen


def sources_with(file):
    """The sources to compile when this file changes: itself, or those that include it."""
    return [cu for cu in sorted(ROOT.glob("kernels/**/*_cuda.cu")) if file in included(cu)]


def tests_of(sources):
    """The tests that include a header of these sources' folders."""
    folders = {str(s.parent.relative_to(ROOT)) for s in sources}
    return [t for t in sorted(ROOT.glob("tests/kernels/*_test.cpp"))
            if any(re.search(rf'#include "{f}/\w+\.h"', t.read_text()) for f in folders)]


def noticed(binary, tests, runs):
    """How these tests fail, in a word or two; empty when they pass."""
    files = ",".join(f"*/{t.name}" for t in tests)
    for run in runs:
        environment = dict(os.environ, TWINAGE_TEST_DEVICE="simt", **run)
        try:
            done = subprocess.run(
                [binary, "--no-intro", "--abort-after=1", f"-sf={files}"],
                env=environment, capture_output=True, text=True, errors="replace", timeout=600)
        except subprocess.TimeoutExpired:
            return "does not end"
        if done.returncode == 0:
            continue
        said = re.search(r"simt: .*?(race \([a-z ]+\)|uninitialised read|deadlock|divergent barrier|"
                         r"(?:read|write) while a copy|copy that is never|\w+ past the end)",
                         done.stdout + done.stderr)
        how = said.group(1) if said else "wrong values"
        return how + (f" ({run['TWINAGE_SIMT_ORDER']})" if run.get("TWINAGE_SIMT_ORDER") else "")
    return ""


def mutate(builds, file, match):
    """Deletes one call and returns what each build notices."""
    text = file.read_text()
    # Nothing that compiles wherever the call did, of one line; the semicolon stays.
    mutated = text[:match.start()] + "(void)0" + text[match.end():]
    results = []
    for build, runs in builds:
        with tempfile.TemporaryDirectory() as temporary:
            into = pathlib.Path(temporary)
            copy = into / "overlay" / file.relative_to(ROOT)
            copy.parent.mkdir(parents=True)
            copy.write_text(mutated)
            sources = sources_with(file)
            binary = build.test_binary(sources, into / "overlay", into)
            results.append(noticed(binary, tests_of(sources), runs))
    return results


def without_comments(text):
    """The same text with comments blanked, so that only code is searched."""
    return re.sub(r"//[^\n]*|/\*.*?\*/", lambda m: re.sub(r"[^\n]", " ", m.group(0)), text, flags=re.S)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="*", help="folders of kernels/ (all)")
    parser.add_argument("--plain", default="build/release", help="the plain build")
    parser.add_argument("--check", default="build/simt-check", help="the build with checks")
    arguments = parser.parse_args()
    builds = [(Build(ROOT / arguments.plain), PLAIN_RUNS), (Build(ROOT / arguments.check), CHECK_RUNS)]

    files = [f for f in sorted(ROOT.glob("kernels/**/*_cuda.*")) if f.suffix in (".cu", ".h") and
             (not arguments.folders or f.parent.name in arguments.folders)]
    print("| file | line | deleted | plain build | build with checks |\n|---|---:|---|---|---|")
    start, counts = time.time(), {"both": 0, "plain only": 0, "checks only": 0, "neither": 0}
    for file in files:
        for match in CALL.finditer(without_comments(file.read_text())):
            line = file.read_text().count("\n", 0, match.start()) + 1
            plain, check = mutate(builds, file, match)
            who = "both" if plain and check else "plain only" if plain else "checks only" if check else "neither"
            counts[who] += 1
            print(f"| {file.name} | {line} | `{match.group(1)}` | {plain or 'no'} | {check or '**no**'} |",
                  flush=True)
    print(f"\n{sum(counts.values())} deletions: " + ", ".join(f"{n} by {w}" for w, n in counts.items()) +
          f"; {time.time() - start:.0f} s.")
    sys.exit(1 if counts["neither"] else 0)


if __name__ == "__main__":
    main()
