"""A short training that is disturbed on purpose, and what has to hold afterwards.

Rig.train runs `twinage train` with one system call failing (tests/faults/fail_calls.cpp) or a
SIGKILL after some time; problems_after says what is not as it should be: a file that is not whole,
a run that cannot be resumed or ends in other bytes than the undisturbed one, a crash, a hang.
"""

import collections
import concurrent.futures
import dataclasses
import json
import os
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import time
import tomllib

TIME_LIMIT = 120  # seconds; the training takes less than one
# A state is saved after every step, the unfinished gallery after every batch of it (64 faces).
SETTINGS = ["training.checkpoint_steps=1", "training.record_steps=1", "training.validate_steps=2",
            "readout.gallery_share=1000"]


@dataclasses.dataclass(frozen=True)
class Fault:
    """The n-th call of a kind fails with an error; see fail_calls.cpp."""
    call: str
    nth: int
    error: str
    every: int = 0

    def environment(self):
        return {"FAULT_CALL": self.call, "FAULT_NTH": str(self.nth), "FAULT_ERROR": self.error,
                "FAULT_EVERY": str(self.every)}

    def __str__(self):
        return f"{self.call} {self.nth} {self.error}" + (f" every {self.every}" * (self.every > 0))


@dataclasses.dataclass
class Ended:
    """How a process ended; code < 0: by that signal, None: it did not, within the time limit."""
    code: int
    out: bytes
    err: str
    seconds: float
    log: list  # lines of fail_calls

    def failed_call(self):
        """What the call that failed was about; "" when the process never came to it."""
        return next((line.split(" ", 3)[3] for line in self.log if line.startswith("FAILED ")), "")

    def count(self, what):
        line = next(line for line in self.log if line.startswith(f"COUNT {what} "))
        number = int(line.rsplit(" ", 1)[1])
        if number == 0 and what in ("write", "allocate"):
            sys.exit("fail_calls counted nothing: it does not stand before libc's calls, so nothing can fail in turn")
        return number

    def problem_with_ending(self):
        """Exit code 0, or 1 and one line that says why; anything else is a fault of the program."""
        if self.code is None:
            return f"it did not end within {TIME_LIMIT} s"
        if self.code < 0:
            return f"it was ended by signal {-self.code}: {self.err[-300:].strip()}"
        lines = [line for line in self.err.splitlines() if line.startswith("twinage: ")]
        if self.code == 1 and len(lines) != 1:
            return f"exit 1 with {len(lines)} lines of error: {self.err[-300:]}"
        return None if self.code in (0, 1) else f"exit {self.code}: {self.err[-300:]}"


def run(command, environment=None, log=None, kill_after=None):
    """Runs a command to its end, or until it is killed after so many seconds."""
    if log is not None:
        log.unlink(missing_ok=True)
    started = time.monotonic()
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, env={**os.environ, **(environment or {})})
    code = None
    try:
        limit = TIME_LIMIT if kill_after is None else kill_after
        out, err = process.communicate(timeout=limit)
        code = process.returncode
    except subprocess.TimeoutExpired:
        process.kill()
        out, err = process.communicate()
        if kill_after is not None:
            code = process.returncode
    lines = log.read_text(errors="replace").splitlines() if log and log.exists() else []
    return Ended(code, out, err.decode(errors="replace"), time.monotonic() - started, lines)


def problem_with_safetensors(path):
    data = path.read_bytes()
    if len(data) < 8:
        return f"{path.name} has {len(data)} bytes"
    (header_bytes,) = struct.unpack("<Q", data[:8])
    try:
        header = json.loads(data[8:8 + header_bytes])
    except ValueError as error:
        return f"{path.name}: its header is broken: {error}"
    end = 0
    for name, entry in sorted(header.items(), key=lambda item: item[1].get("data_offsets", [0])):
        if name == "__metadata__":
            continue
        if entry["data_offsets"][0] != end:
            return f"{path.name}: {name} does not begin where the tensor before it ends"
        end = entry["data_offsets"][1]
    has = len(data) - 8 - header_bytes
    return None if has == end else f"{path.name} has {has} bytes of tensors, its header says {end}"


def problem_with_config(path):
    try:
        config = tomllib.loads(path.read_text())
    except ValueError as error:
        return f"{path.name} does not parse: {error}"
    return None if "training" in config else f"{path.name} says nothing about training"


def problem_with_lines(path):
    *whole, _ = path.read_text(errors="replace").split("\n")  # the last one may be cut off
    for number, line in enumerate(whole, 1):
        try:
            json.loads(line)
        except ValueError:
            return f"{path.name}, line {number} of {len(whole)}: {line[:100]!r}"
    return None


def problems_with_files(folder):
    """What is not whole among a run's files, at any moment."""
    checks = {".safetensors": problem_with_safetensors, ".toml": problem_with_config,
              ".jsonl": problem_with_lines}
    files = sorted(folder.glob("*")) if folder.exists() else []
    found = (checks[f.suffix](f) for f in files if f.suffix in checks)
    return [problem for problem in found if problem]


class Rig:
    """Faces, the undisturbed run, and how to make others like it."""

    def __init__(self, twinage, shim, folder, faces=24, steps=2):
        self.twinage, self.shim, self.folder = twinage, shim, pathlib.Path(folder).resolve()
        self.faces = self.folder / "faces"
        self.steps = steps
        made = run([twinage, "synth", "--out", str(self.faces), "--count", str(faces), "--size",
                    "72", "--seed", "3", "--threads", "1"])
        assert made.code == 0, made.err
        self.whole = self.train(self.folder / "whole", Fault("", 0, ""))
        assert self.whole.code == 0, self.whole.err
        self.model = self.model_of(self.folder / "whole")

    @staticmethod
    def model_of(run_folder):
        path = run_folder / "model.safetensors"
        return path.read_bytes() if path.exists() else None

    def train(self, run_folder, fault=None, resume=False, kill_after=None):
        command = [self.twinage, "train", "--out", str(run_folder), "--threads", "1"]
        if resume:
            command.append("--resume")
        else:
            command += ["--data", str(self.faces), "--steps", str(self.steps), "--batch", "4",
                        "--seed", "3"]
            for setting in SETTINGS:
                command += ["--set", setting]
        if fault is None:
            return run(command, kill_after=kill_after)
        log = run_folder.with_suffix(".log")
        environment = {"LD_PRELOAD": str(self.shim), "FAULT_BELOW": str(self.folder),
                       "FAULT_LOG": str(log), **fault.environment()}
        return run(command, environment, log, kill_after)

    def go_on(self, run_folder, **how):
        """Resumes a run; starts it again where it ended before its first state."""
        has_state = (run_folder / "state.safetensors").exists()
        return self.train(run_folder, resume=has_state, **how)

    def problems_after(self, run_folder, ended):
        """What is wrong with a disturbed run. Goes on with it, unless it had ended with code 0."""
        problems = problems_with_files(run_folder)
        last = ended
        if ended.code != 0:
            last = self.go_on(run_folder)
            if last.code != 0:
                problems.append(f"going on with it: exit {last.code}: {last.err[-300:]}")
        if not problems and self.model_of(run_folder) != self.model:
            problems.append("the model's bytes are not those of the undisturbed run" +
                            (f"; it said: {last.err[:600]}"))
        problems += [f"left behind: {f.name}" for f in sorted(run_folder.glob("*.tmp*"))]
        return problems + problems_with_files(run_folder)

    def case(self, name):
        return self.folder / re.sub(r"\W+", "_", str(name))


def spread(count, most):
    """Of 1 to count, at most `most`, evenly spread, the first and the last among them."""
    if count <= most:
        return list(range(1, count + 1))
    if most == 1:
        return [(count + 1) // 2]
    return sorted({1 + round(i * (count - 1) / (most - 1)) for i in range(most)})


def for_each(cases, work, jobs):
    """work(case) on a few threads; yields the results as they come."""
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        waiting = [pool.submit(work, case) for case in cases]
        for number, done in enumerate(concurrent.futures.as_completed(waiting), 1):
            yield done.result()
            if sys.stderr.isatty():
                print(f"\r{number} of {len(waiting)} ", end="", file=sys.stderr)


def in_groups(problems):
    """Lines for (what was disturbed, problem): equal problems in one line, digits apart."""
    groups = collections.defaultdict(list)
    for what, problem in problems:
        groups[re.sub(r"\d+", "#", problem)].append((what, problem))
    return [f"{len(group)} times, as in {group[0][0]} (and to {group[-1][0]}): {group[0][1]}"
            for group in sorted(groups.values(), key=len, reverse=True)]


def remove(folder):
    shutil.rmtree(folder, ignore_errors=True)
    folder.with_suffix(".log").unlink(missing_ok=True)


def common_arguments(parser):
    parser.add_argument("twinage")
    parser.add_argument("shim", help="libfail_calls.so")
    parser.add_argument("--full", action="store_true", help="everything, not a sample of it")
    parser.add_argument("--jobs", type=int, default=min(8, os.cpu_count() or 1))
    parser.add_argument("--table", type=pathlib.Path, help="write the results here, in Markdown")
