// What a run's folder tells of a training: its configuration, its curves, how it ended.
#pragma once
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "tools/charts/page_charts.h"
#include "train/session_log.h"
#include "train/settings/config.h"

namespace twinage {

enum class RunStatus {
  going,     // a process is writing to it now
  finished,  // it has its model
  failed,    // the last session ended with an error, such as a loss that is not finite
  stopped,   // there is more to do: --resume
};

struct RunRecord {
  std::filesystem::path folder;
  std::string name;  // short, and of several runs each its own
  TrainConfig config;
  std::string config_text;  // config.toml
  RunStatus status = RunStatus::stopped;
  std::string failure;  // of RunStatus::failed: what was said
  std::uint64_t step = 0;
  double seconds = 0, epoch = 0;  // of training so far
  Points loss, factor, rate;      // over steps; rate: images a second
  std::map<std::string, Points> head_losses;
  Points held_out, val;                // over steps: MAE in years, as training reads the faces
  Points held_out_gender, val_gender;  // shares
  std::vector<Session> sessions;       // none of runs older than these

  bool has_model() const;
};

// Throws Error where there is no run: no configuration. Lines of metrics.jsonl that make no sense,
// as the one that is just being written, are passed over.
RunRecord read_run(const std::filesystem::path& folder);

// Gives each its name: the last part of its path, or as many as tell them apart.
void name_apart(std::vector<RunRecord>& runs);

// "step 1,200 of 22,419", "12 of 60 minutes"
std::string progress_text(const RunRecord& run);

}  // namespace twinage
