#include "tools/report/run_record.h"

#include <algorithm>
#include <cmath>

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/files.h"
#include "tools/charts/svg.h"
#include "train/progress.h"
#include "train/run_directory.h"

namespace twinage {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kMaxMetrics = std::size_t{1} << 30;  // bytes

// NaN where there is none: a loss that is not finite is written as null.
double number(const nlohmann::json& record, const char* key) {
  const auto at = record.find(key);
  return at != record.end() && at->is_number() ? at->get<double>() : NAN;
}

void add_validation(Points& mae, Points& gender, double step, const nlohmann::json& record,
                    const char* faces) {
  const auto at = record.find(faces);
  if (at == record.end() || !at->is_object()) return;
  mae.emplace_back(step, number(*at, "mae"));
  if (at->contains("gender_accuracy")) gender.emplace_back(step, number(*at, "gender_accuracy"));
}

void add_record(RunRecord& run, const nlohmann::json& record) {
  if (!record.is_object() || !record.contains("event") || !record["event"].is_string()) return;
  const std::string event = record["event"];
  const double step = number(record, "step");
  if (!std::isfinite(step) || step < 0) return;
  run.failure.clear();
  run.step = std::max(run.step, static_cast<std::uint64_t>(step));
  if (std::isfinite(number(record, "seconds"))) run.seconds = number(record, "seconds");
  if (event == "failed" && record.contains("reason") && record["reason"].is_string()) {
    run.failure = record["reason"];
  } else if (event == "validation") {
    add_validation(run.held_out, run.held_out_gender, step, record, "held_out");
    add_validation(run.val, run.val_gender, step, record, "val");
  } else if (event == "step") {
    run.epoch = number(record, "epoch");
    run.loss.emplace_back(step, number(record, "loss"));
    run.factor.emplace_back(step, number(record, "factor"));
    run.rate.emplace_back(step, number(record, "images_per_second"));
    if (!record.contains("losses") || !record["losses"].is_object()) return;
    for (const auto& [head, loss] : record["losses"].items())
      run.head_losses[head].emplace_back(step, loss.is_number() ? loss.get<double>() : NAN);
  }
}

}  // namespace

bool RunRecord::has_model() const {
  std::error_code missing;
  return fs::exists(RunDirectory(folder).model(), missing);
}

RunRecord read_run(const fs::path& folder) {
  const RunDirectory directory(folder);
  std::error_code missing;
  require(fs::exists(directory.config(), missing),
          "[report] {} is no run: it has no {}; RUN is a folder that 'twinage train --out' made",
          folder.string(), directory.config().filename().string());
  RunRecord run;
  run.folder = folder;
  run.config_text = read_text_file(directory.config());
  run.config = config_from_toml(run.config_text, directory.config().string());
  if (fs::exists(directory.metrics(), missing)) {
    const std::string text = read_text_file(directory.metrics(), kMaxMetrics);
    for (std::string_view rest = text; !rest.empty();) {
      const std::string_view line = rest.substr(0, rest.find('\n'));
      rest.remove_prefix(std::min(rest.size(), line.size() + 1));
      add_record(run, nlohmann::json::parse(line, nullptr, false));
    }
  }
  run.sessions = read_sessions(directory.sessions());
  if (directory.writer())
    run.status = RunStatus::going;
  else if (!run.failure.empty())
    run.status = RunStatus::failed;
  else
    run.status = run.has_model() ? RunStatus::finished : RunStatus::stopped;
  return run;
}

void name_apart(std::vector<RunRecord>& runs) {
  for (std::size_t parts = 1; parts <= 8; ++parts) {
    for (RunRecord& run : runs) {
      std::error_code ignored;
      fs::path path = fs::absolute(run.folder, ignored).lexically_normal();
      if (!path.has_filename()) path = path.parent_path();
      fs::path name = path.filename();
      for (std::size_t i = 1; i < parts && path.has_relative_path(); ++i) {
        path = path.parent_path();
        name = path.filename() / name;
      }
      run.name = name.string();
    }
    std::vector<std::string> names;
    for (const RunRecord& run : runs) names.push_back(run.name);
    std::ranges::sort(names);
    if (std::ranges::adjacent_find(names) == names.end()) return;
  }
  // The same folder twice.
  for (std::size_t i = 0; i < runs.size(); ++i) runs[i].name += fmt::format(" ({})", i + 1);
}

std::string progress_text(const RunRecord& run) {
  const TrainConfig& c = run.config;
  const std::string step = tick_text(static_cast<double>(run.step));
  if (c.steps > 0)
    return fmt::format("step {} of {}", step, tick_text(static_cast<double>(c.steps)));
  if (c.epochs > 0) return fmt::format("epoch {:.1f} of {:g}, step {}", run.epoch, c.epochs, step);
  return fmt::format("{} of {:g} minutes, step {}", duration_text(run.seconds), c.minutes, step);
}

}  // namespace twinage
