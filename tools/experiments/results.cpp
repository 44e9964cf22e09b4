#include "tools/experiments/results.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "tools/experiments/published.h"
#include "tools/options.h"

namespace twinage {
namespace {

using Json = nlohmann::ordered_json;

Json points_json(const std::vector<PlanePoint>& points) {
  Json json = Json::array();
  for (const PlanePoint& p : points) json.push_back({p.x, p.y, p.age, p.gender});
  return json;
}

std::vector<PlanePoint> points_from(const Json& json) {
  std::vector<PlanePoint> points;
  for (const Json& p : json)
    points.push_back({p.at(0).get<float>(), p.at(1).get<float>(), p.at(2).get<float>(),
                      p.at(3).get<std::int32_t>()});
  return points;
}

Json run_json(const RunResult& run) {
  Json json = {{"seed", run.seed}, {"progress", to_string(run.progress)}};
  if (!run.reason.empty()) json["reason"] = run.reason;
  if (!run.figures.empty()) json["figures"] = run.figures;
  if (!run.curve.empty()) {
    json["curve"] = Json::array();
    for (const CurvePoint& p : run.curve) json["curve"].push_back({p.step, p.mae});
  }
  if (!run.before.empty()) json["before"] = points_json(run.before);
  if (!run.after.empty()) json["after"] = points_json(run.after);
  return json;
}

RunResult run_from(const Json& json, const std::string& row) {
  RunResult run;
  run.row = row;
  run.seed = json.at("seed").get<std::uint64_t>();
  run.progress = parse<RunProgress>(json.at("progress").get<std::string>());
  run.reason = json.value("reason", "");
  if (json.contains("figures")) run.figures = json["figures"].get<std::map<std::string, double>>();
  if (json.contains("curve"))
    for (const Json& p : json["curve"])
      run.curve.push_back({p.at(0).get<std::uint64_t>(), p.at(1).get<double>()});
  if (json.contains("before")) run.before = points_from(json["before"]);
  if (json.contains("after")) run.after = points_from(json["after"]);
  return run;
}

Json rows_json(const Results& results, const Experiment& e) {
  Json rows = Json::array();
  for (const ExperimentRow& row : e.rows) {
    Json runs = Json::array();
    for (const RunResult& run : results.runs)
      if (run.row == row.name) runs.push_back(run_json(run));
    if (runs.empty()) continue;
    rows.push_back({{"row", row.name},
                    {"label", row.label},
                    {"recipe", row.recipe},
                    {"preset", row.preset.empty() ? results.common.preset : row.preset},
                    {"settings", row.settings},
                    {"runs", runs}});
  }
  return rows;
}

Json published_json(const Experiment& e) {
  Json json = Json::array();
  for (const PublishedFigure& f : published_figures())
    if (f.experiment == e.name)
      json.push_back({{"row", f.row},
                      {"metric", f.metric},
                      {"value", f.value},
                      {"unit", f.unit},
                      {"method", f.method},
                      {"data", f.data},
                      {"protocol", f.protocol},
                      {"source", f.source}});
  return json;
}

Json budget_json(const CommonOptions& common) {
  if (common.steps > 0) return {{"steps", common.steps}};
  return {{"minutes", common.minutes}};
}

Results results_from(const Json& json) {
  Results r;
  r.experiment = json.at("twinage_experiment").get<std::string>();
  CommonOptions& c = r.common;
  c.data = json.at("data").get<std::string>();
  c.val = json.at("val").get<std::string>();
  c.format = json.at("format").get<std::string>();
  c.age_ranges = parse<AgeRanges>(json.at("age_ranges").get<std::string>());
  c.preset = json.at("preset").get<std::string>();
  c.steps = json.at("budget").value("steps", Index{0});
  c.minutes = json.at("budget").value("minutes", 0.0);
  c.settings = json.at("settings").get<std::vector<std::string>>();
  r.protocol = json.at("protocol").get<std::string>();
  r.seeds = json.at("seeds").get<Index>();
  const Json& machine = json.at("machine");
  r.jobs = machine.at("runs_at_a_time").get<int>();
  r.threads_a_run = machine.at("threads_a_run").get<int>();
  r.cores = machine.at("cores").get<int>();
  r.device = machine.at("device").get<std::string>();
  r.processor = machine.at("processor").get<std::string>();
  r.commit = json.at("commit").get<std::string>();
  r.date = json.at("date").get<std::string>();
  for (const Json& row : json.at("rows"))
    for (const Json& run : row.at("runs"))
      r.runs.push_back(run_from(run, row.at("row").get<std::string>()));
  return r;
}

}  // namespace

std::optional<double> RunResult::figure(const std::string& key) const {
  const auto found = figures.find(key);
  if (found == figures.end()) return std::nullopt;
  return found->second;
}

RunResult* Results::find(std::string_view row, std::uint64_t seed) {
  for (RunResult& run : runs)
    if (run.row == row && run.seed == seed) return &run;
  return nullptr;
}

Summary summary_of(const Results& results, std::string_view row, const std::string& key) {
  Summary s;
  for (const RunResult& run : results.runs) {
    const auto figure = run.figure(key);
    if (run.row != row || run.progress != RunProgress::done || !figure) continue;
    s.least = s.runs == 0 ? *figure : std::min(s.least, *figure);
    s.most = s.runs == 0 ? *figure : std::max(s.most, *figure);
    s.mean += *figure;
    ++s.runs;
  }
  if (s.runs > 0) s.mean /= static_cast<double>(s.runs);
  return s;
}

std::string to_json_text(const Results& r) {
  const Experiment& e = experiment(r.experiment);
  const Json json = {{"twinage_experiment", r.experiment},
                     {"question", e.question},
                     {"paper", e.paper},
                     {"data", r.common.data},
                     {"val", r.common.val},
                     {"format", r.common.format},
                     {"age_ranges", to_string(r.common.age_ranges)},
                     {"protocol", r.protocol},
                     {"budget", budget_json(r.common)},
                     {"preset", r.common.preset},
                     {"settings", r.common.settings},
                     {"seeds", r.seeds},
                     {"machine",
                      {{"device", r.device},
                       {"processor", r.processor},
                       {"cores", r.cores},
                       {"runs_at_a_time", r.jobs},
                       {"threads_a_run", r.threads_a_run}}},
                     {"commit", r.commit},
                     {"date", r.date},
                     {"rows", rows_json(r, e)},
                     {"published", published_json(e)}};
  return to_text(json) + "\n";
}

Results results_from_json(std::string_view text, const std::string& source) {
  try {
    return results_from(Json::parse(text));
  } catch (const Json::exception& error) {
    fail("[experiment] {} holds no results of an experiment: {}", source, error.what());
  } catch (const UsageError& error) {
    fail("[experiment] {} holds no results of an experiment: {}", source, error.what());
  }
}

}  // namespace twinage
