// The options of every command that reads faces with a trained model: which one, how, where it
// computes, and how the answer is printed.
#pragma once
#include <string>

#include <CLI/CLI.hpp>

#include "siamese/readouts/readout_kind.h"
#include "tools/options.h"
#include "train/model/face_reader.h"

namespace twinage {

struct ModelOptions {
  std::string run, readout;
  bool json = false;
  DeviceOptions device;

  // To be called first: RUN is the first word of the command.
  void add_run(CLI::App& command) {
    command.add_option("RUN", run, "a run directory or model file")->required();
  }
  void add_readout(CLI::App& command) {
    command.add_option("--readout", readout,
                       choices<ReadoutKind>() + "; the model's own if absent");
  }
  void add_json(CLI::App& command, const std::string& what = "a JSON object") {
    command.add_flag("--json", json, "print " + what);
  }
  void add_device(CLI::App& command) { device.add_to(command); }

  // Throws Error when there is no such model, UsageError for a read-out that it cannot serve.
  // ranks: that read faces together; null: this process alone.
  FaceReader reader(Ranks* ranks = nullptr) const {
    EngineOptions options = device.engine_options();
    options.ranks = ranks;
    return FaceReader(run, Engine(options), readout_kind());
  }
  std::optional<ReadoutKind> readout_kind() const {
    if (readout.empty()) return std::nullopt;
    return parse<ReadoutKind>(readout);
  }
};

}  // namespace twinage
