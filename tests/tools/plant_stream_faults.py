#!/usr/bin/env python3
"""Plants faults of streams, events, graphs and memory in device cuda, one at a time, and shows what
the stand-in for the CUDA runtime (kernels/standin) says of each.

Nothing in the source tree is changed: a copy of one file is compiled, linked with the rest of
tests_standin, and the training steps of tests/standin/training_test.cpp are run on it. Faults of the
exchange between processes are linked into the program itself, twinage_standin, and three processes
train with it, whose model has to be that of one. Prints a table in Markdown; exits with 1 if a fault
was not noticed. Ten minutes.

    cmake --preset release && cmake --build --preset release --target tests_standin twinage_standin
    tests/tools/plant_stream_faults.py              # all
    tests/tools/plant_stream_faults.py recording    # those whose description has the word
"""

import argparse
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]

# What is planted, the file, the text that is there once, and what stands there instead.
STREAM, INPUT, STEP = "core/cuda_stream.cpp", "train/model/face_input.cpp", "train/training_step.cpp"
FAULTS = [
    ("the wait for an event is dropped", STREAM,
     'check(cudaStreamWaitEvent(raw(*this), mark, 0), "cudaStreamWaitEvent");', ""),
    ("the event is never recorded", STREAM,
     'check(cudaEventRecord(mark, raw(other)), "cudaEventRecord");', ""),
    ("the event is recorded in the waiting stream, not in the other", STREAM,
     "cudaEventRecord(mark, raw(other))", "cudaEventRecord(mark, raw(*this))"),
    ("a copy without its stream argument", STREAM,
     "cudaMemcpyAsync(to, from, bytes, cudaMemcpyDefault, raw(*this))",
     "cudaMemcpyAsync(to, from, bytes, cudaMemcpyDefault)"),
    ("a graph is started in the default stream", STREAM,
     "static_cast<cudaGraphExec_t>(executable_), raw(stream)",
     "static_cast<cudaGraphExec_t>(executable_), nullptr"),
    ("a stream's synchronize() does nothing", STREAM,
     'check(cudaStreamSynchronize(raw(*this)), "cudaStreamSynchronize");', ""),
    ("kernels without the engine's stream", "train/model/engine.cpp",
     "context_.stream = stream_->handle();", ""),
    ("the faces' way to the tower does not wait for their arrival", INPUT,
     "stream.wait_for(upload_->stream);", ""),
    ("the next faces do not wait until the last have left", INPUT,
     "upload_->stream.wait_for(stream);", ""),
    ("page-locked memory is written while it is copied", INPUT,
     "upload_->stream.synchronize();", ""),
    ("a copy from pageable memory", INPUT,
     "upload_->stream.copy(upload_->arriving.data(), pinned, block_.size());",
     "upload_->stream.copy(upload_->arriving.data(), pixels.data(), pixel_bytes_);"),
    ("a kernel is given the host's memory", INPUT,
     "block_.size() > 0 ? faces_in(block_.data()) : sent_;", "sent_;"),
    ("a kernel reads where the next faces arrive", INPUT,
     "faces_in(block_.data()) : sent_;",
     "faces_in(upload_ ? upload_->arriving.data() : block_.data()) : sent_;"),
    ("an allocation in a recording", STEP,
     "exchange_.begin_step();", "const Tensor scratch(vector(16), ctx.device);"),
    ("a synchronisation in a recording", STEP,
     "exchange_.begin_step();", "if (engine_.stream() != nullptr) engine_.stream()->synchronize();"),
    ("a copy of the default stream in a recording", STEP,
     "input_.normalize();",
     "input_.normalize(); float x; copy_bytes(&x, Device::cpu, input_.images().data, ctx.device, 4);"),
    ("a recording outlives the memory that it was made with", STEP, "  graph_.forget();\n", ""),
    ("memory is freed while a kernel writes it", STEP,
     "  warm_ = true;\n",
     "  { Tensor t(vector(16), Device::cuda); fill(engine_.context(), t.view(), 1); }\n"
     "  warm_ = true;\n"),
    ("the host reads the device's memory", "siamese/losses/pair_losses.cpp",
     "device_losses_.copy_to(losses_.data(), device_losses_.size());",
     "losses_[0] = *device_losses_.data();"),
    ("allocated memory is not set to zero", "core/cuda_runtime.cpp", "  cuda_set(p, 0, bytes);\n", ""),
    ("a copy that goes one byte too far", INPUT,
     "stream.copy(block_.data(), upload_->arriving.data(), block_.size());",
     "stream.copy(block_.data(), upload_->arriving.data(), block_.size() + 1);"),
]
# The same of the exchange between processes.
NCCL, SHARDS = "core/nccl_communicator.cpp", "core/shards.cpp"
GATHER = """    now_.stream().wait_for(compute_);
    if (std::equal("""
FAULTS_OF_RANKS = [
    ("gathering does not wait for what is gathered", NCCL, GATHER, GATHER.split("\n")[1]),
    ("nobody waits for what was gathered", NCCL,
     "      });\n    }\n    compute_.wait_for(now_.stream());", "      });\n    }"),
    ("a bucket does not wait for its gradients", NCCL,
     "    beside_.stream().wait_for(compute_);\n    const std::size_t received", "    const std::size_t received"),
    ("nobody waits for the other ranks' gradients", NCCL,
     "void finish(int) override { compute_.wait_for(beside_.stream()); }", "void finish(int) override {}"),
    ("messages without a group", NCCL,
     'nccl().check(nccl().group_start(), "ncclGroupStart");\n    f();\n'
     '    nccl().check(nccl().group_end(), "ncclGroupEnd");', "f();"),
    ("an exchange in the default stream", NCCL,
     "return static_cast<cudaStream_t>(stream_.handle());", "return nullptr;"),
    ("a rank receives where another's block belongs", NCCL,
     "nccl().receive(at(to, r * received)", "nccl().receive(at(to, (r ^ 1) % 2 * received)"),
    ("a rank's own block is forgotten", NCCL,
     "    beside_.stream().copy(at(to, mine() * received), at(from, bytes_before(sizes, mine())),\n"
     "                          received);\n", ""),
    ("one rank leaves out a broadcast", NCCL,
     "if (bytes[r] > 0) broadcast_from", "if (bytes[r] > 0 && rank_ != 1) broadcast_from"),
    ("sums in NCCL's order", "train/model/rank_devices.cpp",
     "exchange == Exchange::nccl); }", "true); }"),
    ("a bucket leaves before its last gradient", "train/gradient_exchange.cpp",
     "bucket.missing == 0", "bucket.missing >= 0 && bucket.missing < 2000 && begun_.size() < buckets_.size()"),
    ("the sums' scratch lies in the host's memory", "train/gradient_exchange.cpp",
     "floats)), arena.device());", "floats)));"),
    ("the host adds up what lies on the GPU", STEP,
     "if (device != Device::cpu) shards_.compute_by(operations_of(engine));", ""),
    ("the whole batch's outputs lie in the host's memory", STEP,
     "outputs_[task] = Tensor(matrix(shards_.batch(), network.width(task)), device);",
     "outputs_[task] = Tensor(matrix(shards_.batch(), network.width(task)));"),
    ("gathered parts are those of the rank before", SHARDS,
     "begin = ranks_->rank() * size;", "begin = (ranks_->rank() + 1) % 3 * size;"),
]


class Build:
    """How to compile a file of a program and link the program with it."""

    def __init__(self, folder, target):
        self.folder = folder
        self.target = target
        self.entries = json.loads((folder / "compile_commands.json").read_text())
        listed = subprocess.run(["ninja", "-C", str(folder), "-t", "commands", target],
                                check=True, capture_output=True, text=True)
        self.link = listed.stdout.strip().splitlines()[-1]

    def command_for(self, file):
        """Of core's two objects of one file, the stand-in's."""
        commands = [shlex.split(e["command"]) for e in self.entries
                    if pathlib.Path(e["file"]) == ROOT / file]
        commands.sort(key=lambda c: "standin_objects.dir" not in c[c.index("-o") + 1])
        return commands[0]

    def program(self, file, text, into):
        source, target = into / pathlib.Path(file).name, into / "mutated.o"
        source.write_text(text)
        command = ["-O1" if word == "-O3" else word for word in self.command_for(file) if word != "-Werror"]
        command.insert(1, "-w")  # what a fault leaves unused
        object_of_tree = command[command.index("-o") + 1]
        command[command.index("-o") + 1] = str(target)
        command[command.index("-c") + 1] = str(source)
        subprocess.run(command, cwd=self.folder, check=True)
        program = into / "tests"
        link = re.sub(rf"-o \S*{self.target} ", f"{target} -o {program} ", self.link)
        link = link.replace(f" {object_of_tree} ", " ")  # where it is not in a library anyway
        subprocess.run(link, shell=True, cwd=self.folder, check=True)
        return program


def said(program):
    """What the stand-in says, or how else the test fails; empty when it passes."""
    environment = dict(os.environ, TWINAGE_TEST_DEVICE="cuda")
    try:
        done = subprocess.run([program, "--no-intro", "--abort-after=1", "-sf=*training_test*"],
                              env=environment, capture_output=True, text=True, errors="replace", timeout=300)
    except subprocess.TimeoutExpired:
        return "does not end"
    line = re.search(r"\[standin\] (.*)", done.stdout + done.stderr)
    if line:
        return line.group(1)
    return "" if done.returncode == 0 else "wrong values"


class ThreeRanks:
    """A short training on cuda by three processes, beside the same on simt by one."""

    def __init__(self, folder, twinage):
        self.folder = folder
        self.environment = dict(os.environ, OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1",
                                OMPI_MCA_rmaps_base_oversubscribe="1", TWINAGE_ISA="baseline")
        subprocess.run([twinage, "synth", "--out", folder / "faces", "--count", "40", "--size", "80"],
                       check=True, capture_output=True)
        self.run([twinage], "simt", "alone")

    def run(self, program, device, out):
        shutil.rmtree(self.folder / out, ignore_errors=True)
        return subprocess.run(
            program + ["train", "--data", self.folder / "faces", "--preset", "tiny", "--batch", "4", "--threads", "1",
                       "--set", "training.shards=4", "--set", "readout.gallery_max=2", "--steps", "3",
                       "--device", device, "--out", self.folder / out],
            env=self.environment, capture_output=True, text=True, errors="replace", timeout=120)

    def said(self, program):
        try:
            done = self.run(["mpirun", "--quiet", "-n", "3", program], "cuda", "together")
        except subprocess.TimeoutExpired:
            return "does not end"
        line = re.search(r"\[standin\] (.*)", done.stdout + done.stderr)
        if line:
            return line.group(1)
        if done.returncode != 0:
            return done.stderr.strip().splitlines()[-1] if done.stderr else "ends with an error"
        models = [(self.folder / run / "model.safetensors").read_bytes() for run in ("alone", "together")]
        return "" if models[0] == models[1] else "other bytes than one process"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("words", nargs="*", help="only faults whose description has one of these")
    parser.add_argument("--build", default="build/release", help="the build to plant them in")
    arguments = parser.parse_args()
    steps = Build(ROOT / arguments.build, "tests_standin"), said
    folder = tempfile.TemporaryDirectory()
    ranks = None
    print("| planted | file | line | what the stand-in says |\n|---|---|---:|---|")
    start, count, missed = time.time(), 0, 0
    for what, file, old, new in FAULTS + FAULTS_OF_RANKS:
        if arguments.words and not any(word in what for word in arguments.words):
            continue
        of_ranks = (what, file, old, new) in FAULTS_OF_RANKS
        if of_ranks and ranks is None:
            three = ThreeRanks(pathlib.Path(folder.name), ROOT / arguments.build / "twinage")
            ranks = Build(ROOT / arguments.build, "twinage_standin"), three.said
        build, see = ranks if of_ranks else steps
        text = (ROOT / file).read_text()
        assert text.count(old) == 1, f"{file} has {text.count(old)} times: {old}"
        place = text.index(old)
        with tempfile.TemporaryDirectory() as temporary:
            line = see(build.program(file, text.replace(old, new), pathlib.Path(temporary)))
        count += 1
        missed += not line
        print(f"| {what} | {pathlib.Path(file).name} | {text.count(chr(10), 0, place) + 1} | "
              f"{line or '**nothing**'} |", flush=True)
    print(f"\n{count} faults, {missed} not noticed; {time.time() - start:.0f} s.")
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
