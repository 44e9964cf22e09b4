// Options that several commands share.
#pragma once
#include <string>

#include <CLI/CLI.hpp>

#include "core/device.h"
#include "train/engine.h"

namespace twinage {

struct DeviceOptions {
  std::string device = "cpu", math = "fp32";
  int threads = 0;

  void add_to(CLI::App& command) {
    command
        .add_option("--device", device,
                    "cpu, cuda (cuda:1: the second GPU) or simt (the CUDA kernels, "
                    "run slowly by the host)")
        ->capture_default_str();
    command.add_option("--math", math, "of multiplications on cuda and simt: fp32, tf32 or bf16")
        ->capture_default_str();
    command.add_option("--threads", threads, "processors to use; 0: all")
        ->check(CLI::Range(0, 4096))
        ->capture_default_str();
  }
  Engine engine() const { return Engine(parse_device(device), threads, parse_math(math)); }
};

}  // namespace twinage
