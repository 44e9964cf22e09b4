#include "tools/experiments/pictures.h"

#include <fmt/format.h>

#include "tools/charts/charts.h"
#include "tools/experiments/report_text.h"

namespace twinage {
namespace {

Range range_of(const Summary& s, Unit unit) {
  const double factor = unit == Unit::share ? 100 : 1;
  return {factor * s.mean, factor * s.least, factor * s.most};
}

std::vector<ExperimentRow> rows_of(const Results& r, const Picture& picture) {
  std::vector<ExperimentRow> rows;
  for (const ExperimentRow& row : experiment(r.experiment).rows)
    if (has_runs(r, row.name) && row.name.starts_with(picture.rows)) rows.push_back(row);
  return rows;
}

const RunResult* first_done(const Results& r, const std::string& row) {
  const RunResult* first = nullptr;
  for (const RunResult& run : r.runs)
    if (run.row == row && run.progress == RunProgress::done &&
        (first == nullptr || run.seed < first->seed))
      first = &run;
  return first;
}

void add_bars(std::vector<Drawing>& drawings, const Results& r, const Picture& p) {
  BarChart chart{p.title, of_what(r), p.axis, {}};
  for (const ExperimentRow& row : rows_of(r, p)) {
    const Summary s = summary_of(r, row.name, p.key);
    if (s.runs > 0)
      chart.bars.push_back(
          {row.label, summary_text(s, p.unit, p.unit == Unit::share ? 1 : 2), range_of(s, p.unit)});
  }
  if (!chart.bars.empty()) drawings.push_back({p.name + ".svg", p.title, to_svg(chart)});
}

// Runs by the clock are validated at other steps from each seed: the first seed's is drawn.
void add_curves(std::vector<Drawing>& drawings, const Results& r, const Picture& p) {
  LineChart chart{
      p.title, of_what(r) + (r.seeds > 1 ? "; drawn: the first seed" : ""), "steps", p.axis, {}};
  for (const ExperimentRow& row : rows_of(r, p)) {
    const RunResult* run = first_done(r, row.name);
    if (run == nullptr || run->curve.empty()) continue;
    LineChart::Line line{row.name, {}};
    for (const CurvePoint& point : run->curve)
      line.points.push_back({static_cast<double>(point.step), {point.mae, point.mae, point.mae}});
    chart.lines.push_back(std::move(line));
  }
  if (!chart.lines.empty()) drawings.push_back({p.name + ".svg", p.title, to_svg(chart)});
}

void add_references(std::vector<Drawing>& drawings, const Results& r, const Picture& p) {
  for (const ExperimentRow& row : rows_of(r, p)) {
    LineChart chart{p.title, of_what(r), "references (faces)", p.axis, {}, true};
    for (const std::string& readout : readouts_of(r)) {
      LineChart::Line line{readout, {}};
      for (const Index n : reference_counts(r, row.name)) {
        const Summary s = summary_of(r, row.name, references_key(readout, n));
        if (s.runs > 0) line.points.push_back({static_cast<double>(n), range_of(s, Unit::years)});
      }
      if (!line.points.empty()) chart.lines.push_back(std::move(line));
    }
    if (!chart.lines.empty())
      drawings.push_back({fmt::format("{}-{}.svg", p.name, row.name), p.title, to_svg(chart)});
  }
}

void add_planes(std::vector<Drawing>& drawings, const Results& r, const Picture& p) {
  for (const ExperimentRow& row : rows_of(r, p)) {
    const RunResult* run = first_done(r, row.name);
    if (run == nullptr) continue;
    for (const bool trained : {false, true}) {
      const std::vector<PlanePoint>& points = trained ? run->after : run->before;
      if (points.empty()) continue;
      const char* when = trained ? "after training" : "before training";
      PlaneChart chart{
          fmt::format("{}, {}: {}", p.title, when, row.label),
          fmt::format("{}: {} faces that were not trained on; {}; preset {}", r.protocol,
                      points.size(), budget_text(r.common), r.common.preset),
          {}};
      for (const PlanePoint& point : points)
        chart.faces.push_back({static_cast<double>(point.x), static_cast<double>(point.y),
                               static_cast<double>(point.age), point.gender});
      drawings.push_back(
          {fmt::format("{}-{}-{}.svg", p.name, row.name, trained ? "after" : "before"), chart.title,
           to_svg(chart)});
    }
  }
}

}  // namespace

std::vector<Drawing> drawings_of(const Results& results) {
  std::vector<Drawing> drawings;
  for (const Picture& picture : experiment(results.experiment).pictures) {
    switch (picture.kind) {
      case Picture::Kind::bars:
        add_bars(drawings, results, picture);
        break;
      case Picture::Kind::curves:
        add_curves(drawings, results, picture);
        break;
      case Picture::Kind::references:
        add_references(drawings, results, picture);
        break;
      case Picture::Kind::plane:
        add_planes(drawings, results, picture);
        break;
    }
  }
  return drawings;
}

}  // namespace twinage
