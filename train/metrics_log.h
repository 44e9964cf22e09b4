// RUN/metrics.jsonl: one JSON object a line, in the order of the steps.
#pragma once
#include <cstdint>
#include <filesystem>
#include <string>

#include <nlohmann/json.hpp>

namespace twinage {

class MetricsLog {
 public:
  // Keeps the lines of steps up to `last_step` (those behind it belong to work that a crash lost
  // and that will be done again), drops the others, and appends. A new run passes 0. Throws Error
  // when the file cannot be read or written.
  MetricsLog(const std::filesystem::path& path, std::uint64_t last_step);
  ~MetricsLog();
  MetricsLog(const MetricsLog&) = delete;
  MetricsLog& operator=(const MetricsLog&) = delete;

  // The record needs a number "step". Written at once; where that fails (a full disk), it waits for
  // the next call, the file keeps its whole lines, and a note says so once.
  void write(const nlohmann::ordered_json& record);
  // Has what was written flushed to the disk, and tries again what waits. A note, too, if not.
  void flush();
  // Throws Error when records still wait.
  void require_written();

 private:
  bool append();
  void complain();

  std::filesystem::path path_;
  int fd_ = -1;
  std::int64_t size_ = 0;  // bytes of whole lines
  std::string waiting_;    // behind them
  int reason_ = 0;         // errno of the last failure
  bool complained_ = false;
};

}  // namespace twinage
