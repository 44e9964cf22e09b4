// What an experiment has found so far: FOLDER/results.json, which is all that its tables and
// pictures are made of, and by which it goes on where it was stopped.
#pragma once
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "core/enum_names.h"
#include "core/shape.h"
#include "tools/experiments/experiments.h"

namespace twinage {

enum class RunProgress {
  left,     // not begun, or stopped in the middle
  trained,  // its model is finished, but not measured
  done,
  failed,
};
template <>
struct EnumNames<RunProgress> {
  static constexpr std::string_view what = "progress";
  static constexpr EnumName<RunProgress> table[] = {
      {RunProgress::left, "left"},
      {RunProgress::trained, "trained"},
      {RunProgress::done, "done"},
      {RunProgress::failed, "failed"},
  };
};

struct CurvePoint {
  std::uint64_t step = 0;
  double mae = 0;  // years, of the faces that are not trained on, as training reads them
};

// A face in the plane.
struct PlanePoint {
  float x = 0, y = 0, age = 0;  // years
  std::int32_t gender = -1;
};

struct RunResult {
  std::string row;
  std::uint64_t seed = 1;
  RunProgress progress = RunProgress::left;
  std::string reason;                     // why it failed
  std::map<std::string, double> figures;  // tools/experiments/measure.h
  std::vector<CurvePoint> curve;
  std::vector<PlanePoint> before, after;  // of Measures::plane, from the first seed only

  std::optional<double> figure(const std::string& key) const;
};

struct Results {
  std::string experiment;
  CommonOptions common;
  std::string protocol;  // which faces, and how they were divided
  Index seeds = 1;
  int jobs = 1, threads_a_run = 1, cores = 1;
  std::string device, processor, commit, date;
  std::vector<RunResult> runs;

  RunResult* find(std::string_view row, std::uint64_t seed);
};

// Over the seeds of a row, those that are done and have this figure.
struct Summary {
  double mean = 0, least = 0, most = 0;
  Index runs = 0;  // 0: there is none
};
Summary summary_of(const Results& results, std::string_view row, const std::string& key);

// The first lines that write_results() writes: a file that begins otherwise was not written by it.
inline constexpr std::string_view kResultsTitle = "{\n  \"twinage_experiment\": \"";

std::string to_json_text(const Results& results);
// Throws Error naming `source` for a text that to_json_text() did not write.
Results results_from_json(std::string_view text, const std::string& source);

}  // namespace twinage
