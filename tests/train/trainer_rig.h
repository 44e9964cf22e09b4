// Small runs of the trainer, and what two of them are compared by.
#pragma once
#include <algorithm>
#include <filesystem>
#include <string>

#include "core/files.h"
#include "core/safetensors.h"
#include "train/run_directory.h"
#include "train/trainer.h"

namespace twinage::test {

inline TrainRequest request(const std::filesystem::path& data, const std::filesystem::path& out,
                            Index steps) {
  TrainRequest r;
  r.config.data = data.string();
  r.config.steps = steps;
  r.config.batch = 8;
  r.config.held_out = 0.2;
  r.config.mirror = r.config.zooms = false;
  r.config.embedding = 16;
  r.config.readout.k = 5;
  r.config.checkpoint_seconds = 1e9;
  r.config.validate_steps = 3;
  r.out = out;
  r.engine.threads = 2;
  return r;
}

inline std::string bytes(const std::filesystem::path& path) {
  return read_text_file(path, std::size_t{1} << 30);
}

// Weights and optimizer state of two runs, byte for byte.
inline bool same_training_state(const std::filesystem::path& run_a,
                                const std::filesystem::path& run_b) {
  const auto a = SafetensorsFile::open(RunDirectory(run_a).state());
  const auto b = SafetensorsFile::open(RunDirectory(run_b).state());
  int compared = 0;
  for (const auto& [name, entry] : a.entries()) {
    if (name == "measures" || name == "counters" || name.starts_with("best.")) continue;
    const auto x = a.bytes(name), y = b.bytes(name);
    if (!std::equal(x.begin(), x.end(), y.begin(), y.end())) return false;
    ++compared;
  }
  return compared > 100;
}

}  // namespace twinage::test
