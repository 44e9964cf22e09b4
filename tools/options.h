// Options that several commands share.
#pragma once
#include <string>

#include <CLI/CLI.hpp>

#include "core/device.h"
#include "train/engine.h"

namespace twinage {

struct DeviceOptions {
  std::string device = "cpu", math = "fp32", kernels = "own";
  int threads = 0;

  void add_to(CLI::App& command) {
    command
        .add_option("--device", device,
                    "cpu, cuda (cuda:1: the second GPU) or simt (the CUDA kernels, "
                    "run slowly by the host)")
        ->capture_default_str();
    command.add_option("--math", math, "of multiplications on cuda and simt: fp32, tf32 or bf16")
        ->capture_default_str();
    command
        .add_option("--kernels", kernels,
                    "own, or on cuda vendor: cuDNN's convolutions and cuBLAS's products, to "
                    "compare with")
        ->check(CLI::IsMember({"own", "vendor"}))
        ->capture_default_str();
    command.add_option("--threads", threads, "processors to use; 0: all")
        ->check(CLI::Range(0, 4096))
        ->capture_default_str();
  }
  EngineOptions engine_options() const {
    return {parse_device(device), threads, parse_math(math), kernels == "vendor"};
  }
  Engine engine() const { return Engine(engine_options()); }
};

}  // namespace twinage
