// RUN/metrics.jsonl: one JSON object a line, in the order of the steps.
#pragma once
#include <cstdint>
#include <filesystem>
#include <fstream>

#include <nlohmann/json.hpp>

namespace twinage {

class MetricsLog {
 public:
  // Keeps the lines of steps up to `last_step` (those behind it belong to work that a crash lost
  // and that will be done again), drops the others, and appends. A new run passes 0.
  MetricsLog(const std::filesystem::path& path, std::uint64_t last_step);

  // The record needs a number "step". Flushed at once. Throws Error when it cannot be written.
  void write(const nlohmann::ordered_json& record);

 private:
  std::filesystem::path path_;
  std::ofstream out_;
};

}  // namespace twinage
