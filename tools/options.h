// Options that several commands share.
#pragma once
#include <string>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "core/device.h"
#include "core/processors.h"
#include "train/model/engine.h"

namespace twinage {

// JSON for people and programs; bytes of a file's name that are no UTF-8 become a question mark.
inline std::string to_text(const nlohmann::ordered_json& json) {
  return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

inline void add_threads_option(CLI::App& command, int& threads) {
  command.add_option("--threads", threads, "processors to use; 0: all")
      ->check(CLI::Range(0, 4096))
      ->capture_default_str();
}

struct DeviceOptions {
  std::string device = "cpu", math = "fp32", kernels = "own";
  int threads = 0;

  void add_to(CLI::App& command) {
    command
        .add_option("--device", device,
                    "cpu, cuda (cuda:1: the second GPU) or simt (the CUDA kernels, "
                    "run slowly by the host)")
        ->capture_default_str();
    command
        .add_option(
            "--math", math,
            "of multiplications: fp32, bf16 (operands rounded, sums and weights in float32; "
            "on cpu for processors with AVX-512-BF16) or tf32 (cuda and simt)")
        ->capture_default_str();
    command
        .add_option("--kernels", kernels,
                    "own, or on cuda vendor: cuDNN's convolutions and cuBLAS's products, to "
                    "compare with")
        ->check(CLI::IsMember({"own", "vendor"}))
        ->capture_default_str();
    add_threads_option(command, threads);
  }
  // The options that differ from what they are unless set, to repeat a command with.
  std::string as_given() const {
    const DeviceOptions unset;
    std::string text;
    if (device != unset.device) text += " --device " + device;
    if (math != unset.math) text += " --math " + math;
    if (kernels != unset.kernels) text += " --kernels " + kernels;
    if (threads != unset.threads) text += fmt::format(" --threads {}", threads);
    return text;
  }
  // Where it computes, for people: "2 cores of AMD EPYC 9R14, device cpu, 2 threads".
  std::string machine_text() const {
    const int used = threads > 0 ? threads : hardware_threads();
    return fmt::format("{} cores of {}, device {}, {} thread{}", hardware_threads(),
                       processor_name(), device, used, used == 1 ? "" : "s");
  }
  EngineOptions engine_options() const {
    return {parse_device(device), threads, parse<Math>(math), kernels == "vendor"};
  }
  Engine engine() const { return Engine(engine_options()); }
};

}  // namespace twinage
