#include "tools/report/run_sections.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "tools/charts/svg.h"
#include "train/progress.h"

namespace twinage {
namespace {

constexpr std::size_t kMostPoints = 240;  // of a line: more than its pixels

// Of one run no name is needed, of several its own stands before what is drawn.
std::string line_name(std::span<const RunRecord> runs, const RunRecord& run,
                      const std::string& what) {
  if (runs.size() == 1) return what;
  return what.empty() ? run.name : run.name + ": " + what;
}

// `series`: a run has the same colours in every chart, also where others have nothing to show.
void add_line(Curves& chart, std::size_t series, std::string name, const Points& points,
              bool markers = false) {
  const bool any =
      std::ranges::any_of(points, [](const auto& p) { return std::isfinite(p.second); });
  if (!any) return;
  Curves::Line line;
  line.name = std::move(name);
  line.points = thinned(points, kMostPoints);
  line.markers = markers && line.points.size() <= 40;
  line.series = static_cast<int>(series);
  chart.lines.push_back(std::move(line));
}

void add_figure(Section& section, std::string id, std::string title, std::string caption,
                Curves chart) {
  if (chart.lines.empty()) return;
  section.figures.push_back(
      {std::move(id), std::move(title), std::move(caption), std::move(chart)});
}

Points per_cent(Points points) {
  for (auto& point : points) point.second *= 100;
  return points;
}

Curves chart_over_steps(std::string y_title, bool from_zero = false) {
  Curves chart;
  chart.x = {.title = "steps", .from_zero = true};
  chart.y = {.title = std::move(y_title), .from_zero = from_zero};
  return chart;
}

// "of the 505 faces held out": how many is in no file of a run, so what they are for is said.
constexpr const char* kErrorCaption =
    "Mean absolute error as training reads the faces (one look, few references): held-out faces "
    "choose the weights, validation faces have no part in the training.";

void add_errors(Section& section, std::span<const RunRecord> runs) {
  Curves errors = chart_over_steps("years"), genders = chart_over_steps("% right");
  std::size_t series = 0;
  for (const RunRecord& run : runs) {
    const std::string held_out = line_name(runs, run, "held-out"),
                      val = line_name(runs, run, "validation");
    add_line(errors, series, held_out, run.held_out, true);
    add_line(genders, series++, held_out, per_cent(run.held_out_gender), true);
    add_line(errors, series, val, run.val, true);
    add_line(genders, series++, val, per_cent(run.val_gender), true);
  }
  add_figure(section, "curve-error", "Error of ages while training", kErrorCaption, errors);
  add_figure(section, "curve-gender", "Gender read right while training",
             "Of the faces with a label, the same faces.", genders);
}

void add_losses(Section& section, std::span<const RunRecord> runs) {
  Curves total = chart_over_steps("loss"), factor = chart_over_steps("factor", true),
         rate = chart_over_steps("images a second", true);
  std::map<std::string, Curves> heads;
  std::size_t series = 0;
  for (const RunRecord& run : runs) {
    const std::string name = line_name(runs, run, "");
    add_line(total, series, name, run.loss);
    add_line(factor, series, name, run.factor);
    add_line(rate, series, name, run.rate);
    for (const auto& [head, points] : run.head_losses) {
      auto& chart = heads.try_emplace(head, chart_over_steps("loss")).first->second;
      add_line(chart, series, name, points);
    }
    ++series;
  }
  const std::string means = "Of the faces trained on; means of neighbouring steps.";
  add_figure(section, "curve-loss", "Loss, all heads together", means, total);
  for (auto& [head, chart] : heads)
    add_figure(section, "curve-loss-" + head, fmt::format("Loss of the {} head", head), means,
               std::move(chart));
  add_figure(section, "curve-factor", "Step factor",
             "What other optimizers call the learning rate.", factor);
  add_figure(section, "curve-rate", "Speed", "Faces trained on a second.", rate);
}

std::string length_text(const TrainConfig& c) {
  if (c.steps > 0) return fmt::format("{} steps", tick_text(static_cast<double>(c.steps)));
  return c.epochs > 0 ? fmt::format("{:g} epochs", c.epochs)
                      : fmt::format("{:g} minutes", c.minutes);
}

std::string best_text(const Points& errors) {
  double best = std::numeric_limits<double>::infinity(), at = 0;
  for (const auto& [step, mae] : errors)
    if (mae < best) {
      best = mae;
      at = step;
    }
  if (!std::isfinite(best)) return "–";
  return fmt::format("{:.2f} years at step {}", best, tick_text(at));
}

std::string last_text(const Points& errors) {
  return errors.empty() ? "–" : fmt::format("{:.2f} years", errors.back().second);
}

std::string sessions_text(const RunRecord& run, std::string Session::*what) {
  std::string text;
  for (const Session& session : run.sessions) {
    if (text.find(session.*what) != std::string::npos) continue;
    text += (text.empty() ? "" : "; ") + session.*what;
  }
  return text.empty() ? "not noted (an older run)" : text;
}

}  // namespace

std::string status_text(const RunRecord& run) {
  switch (run.status) {
    case RunStatus::going:
      return "still going: " + progress_text(run);
    case RunStatus::finished:
      return "finished";
    case RunStatus::failed:
      return "broke off: " + run.failure;
    case RunStatus::stopped:
      return fmt::format("stopped at {}", progress_text(run));
  }
  return "";
}

Section overview_of(std::span<const RunRecord> runs) {
  Section section{"runs", runs.size() == 1 ? "What was run" : "What was run, side by side"};
  Table table;
  table.caption = "How each run was trained";
  table.head.emplace_back("");
  table.words = runs.size() + 1;
  using Cell = std::string (*)(const RunRecord&);
  const std::pair<const char*, Cell> lines[] = {
      {"state", [](const RunRecord& r) { return status_text(r); }},
      {"recipe", [](const RunRecord& r) { return r.config.recipe; }},
      {"tower", [](const RunRecord& r) { return r.config.preset; }},
      {"faces to train on", [](const RunRecord& r) { return r.config.data; }},
      {"faces to validate on",
       [](const RunRecord& r) { return r.config.val.empty() ? "none" : r.config.val; }},
      {"length asked for", [](const RunRecord& r) { return length_text(r.config); }},
      {"steps done", [](const RunRecord& r) { return tick_text(static_cast<double>(r.step)); }},
      {"time", [](const RunRecord& r) { return duration_text(r.seconds); }},
      {"seed", [](const RunRecord& r) { return fmt::format("{}", r.config.seed); }},
      {"best held-out error", [](const RunRecord& r) { return best_text(r.held_out); }},
      {"last validation error", [](const RunRecord& r) { return last_text(r.val); }},
      {"begun",
       [](const RunRecord& r) {
         return r.sessions.empty() ? "not noted (an older run)" : r.sessions.front().started;
       }},
      {"machine", [](const RunRecord& r) { return sessions_text(r, &Session::machine); }},
      {"commit", [](const RunRecord& r) { return sessions_text(r, &Session::commit); }},
  };
  for (const RunRecord& run : runs) table.head.push_back(run.name);
  for (const auto& [name, cell] : lines) {
    std::vector<std::string> row{name};
    for (const RunRecord& run : runs) row.push_back(cell(run));
    table.rows.push_back(std::move(row));
  }
  section.tables.push_back(std::move(table));
  return section;
}

Section curves_of(std::span<const RunRecord> runs) {
  Section section{"curves", "While it learnt"};
  add_errors(section, runs);
  add_losses(section, runs);
  if (section.figures.empty()) section.paragraphs.emplace_back("No step has been recorded yet.");
  return section;
}

Section configuration_of(const RunRecord& run) {
  Section section{"config-" + run.name, "Configuration of " + run.name};
  section.folded = run.config_text;
  section.folded_title = "Every value that decided this run";
  return section;
}

}  // namespace twinage
