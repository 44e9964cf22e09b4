// `twinage report`: everything that is known of one run or several, put together.
#pragma once
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tools/report/figure.h"
#include "tools/report/page.h"
#include "tools/report/run_record.h"
#include "train/faces/face_dataset.h"
#include "train/model/engine.h"

namespace twinage {

struct ReportRequest {
  std::vector<std::filesystem::path> runs;
  std::string data;      // faces to measure with; empty: each run's own --val, where it still is
  bool pictures = true;  // of faces
  std::function<FaceDataset(const std::string& path)> find;
  std::function<Engine()> engine;
  std::function<void(Index done, Index total)> progress = {};
};

// Throws Error where a folder is no run, and where faces that were named cannot be read.
Report make_report(const ReportRequest& request);

// The part that needs no model and no faces: what a page shows while training.
Report report_of_records(std::span<const RunRecord> runs);

}  // namespace twinage
