#include "tools/report/report.h"

#include <algorithm>
#include <memory>
#include <optional>

#include <fmt/format.h>

#include "core/error.h"
#include "tools/embedded.h"
#include "tools/report/data_sections.h"
#include "tools/report/face_sections.h"
#include "tools/report/measured_run.h"
#include "tools/report/reading_sections.h"
#include "tools/report/run_sections.h"

namespace twinage {
namespace {

std::string title_of(std::span<const RunRecord> runs) {
  if (runs.size() == 1) return "Twinage: " + runs.front().name;
  std::string title = "Twinage: ";
  for (const RunRecord& run : runs) title += (&run == runs.data() ? "" : ", ") + run.name;
  return title;
}

std::string best_so_far(const RunRecord& run) {
  const Points& errors = run.val.empty() ? run.held_out : run.val;
  if (errors.empty()) return "";
  return fmt::format("; {} faces were last read with a mean error of {:.2f} years",
                     run.val.empty() ? "held-out" : "validation", errors.back().second);
}

// The faces to measure a run with; nothing where there are none, with a warning that says why.
std::optional<FaceDataset> faces_of(const ReportRequest& request, const RunRecord& run,
                                    std::string& where, Report& report) {
  if (!request.data.empty()) {
    where = request.data;
    return request.find(request.data);
  }
  where = run.config.val;
  if (where.empty()) {
    report.warnings.push_back(fmt::format(
        "{} was trained without --val: name faces with --data to see how well it reads.",
        run.name));
    return std::nullopt;
  }
  try {
    return find_faces(where, run.config.age_ranges, run.config.format);
  } catch (const Error& error) {
    report.warnings.push_back(fmt::format(
        "The faces that {} was validated on cannot be read ({}): name others with --data.",
        run.name, error.what()));
    return std::nullopt;
  }
}

std::vector<MeasuredRun> measured(const ReportRequest& request, std::span<const RunRecord> runs,
                                  Report& report) {
  std::vector<MeasuredRun> all;
  for (const RunRecord& run : runs) {
    if (!run.has_model()) {
      report.warnings.push_back(
          fmt::format("{} has no model yet: only its curves are shown.", run.name));
      continue;
    }
    std::string where;
    std::optional<FaceDataset> faces = faces_of(request, run, where, report);
    if (!faces) continue;
    auto reader = std::make_unique<FaceReader>(run.folder, request.engine());
    all.push_back(measure(run.name, std::move(reader), std::move(*faces), where, request.progress));
  }
  return all;
}

void add_shortcomings(Report& report, const MeasuredRun& run) {
  for (const std::string& line : shortcomings(run.reader->model()))
    report.warnings.push_back(run.name + ": " + line);
  const std::string origins = origins_text(run.origins);
  if (!origins.empty()) report.warnings.push_back(run.name + ": " + origins);
}

}  // namespace

Report report_of_records(std::span<const RunRecord> runs) {
  Report report;
  report.title = title_of(runs);
  for (const RunRecord& run : runs) {
    report.summary += fmt::format("{}{}: {}{}.", report.summary.empty() ? "" : "\n", run.name,
                                  status_text(run), best_so_far(run));
  }
  report.sections.push_back(overview_of(runs));
  report.sections.push_back(curves_of(runs));
  for (const RunRecord& run : runs) report.sections.push_back(configuration_of(run));
  report.made = fmt::format("Made by twinage, commit {}, {}.", kCommit, utc_now());
  return report;
}

Report make_report(const ReportRequest& request) {
  std::vector<RunRecord> runs;
  for (const auto& folder : request.runs) runs.push_back(read_run(folder));
  name_apart(runs);
  Report report = report_of_records(runs);
  const std::vector<MeasuredRun> all = measured(request, runs, report);
  if (all.empty()) return report;
  report.summary.clear();
  for (const MeasuredRun& run : all) {
    report.summary +=
        fmt::format("{}{} {}.", report.summary.empty() ? "" : "\n", run.name, summary_of(run));
    add_shortcomings(report, run);
  }
  for (const RunRecord& run : runs)  // of the others the summary says nothing
    if (run.status == RunStatus::failed)
      report.warnings.push_back(fmt::format("{} broke off: {}", run.name, run.failure));
  std::vector<Section> rest = std::move(report.sections);  // what was run, curves, configurations
  report.sections = {errors_of(all), intervals_of(all), same_class_of(all)};
  for (const MeasuredRun& run : all) {
    const auto record = std::ranges::find(runs, run.name, &RunRecord::name);
    add_faces(report, run, &*record, {request.pictures}, all.size() > 1);
  }
  report.sections.push_back(data_section(all.front().readings.dataset, all.front().data));
  report.sections.insert(report.sections.begin(), rest[0]);
  report.sections.insert(report.sections.begin() + 1, rest[1]);
  report.sections.insert(report.sections.end(), rest.begin() + 2, rest.end());
  return report;
}

}  // namespace twinage
