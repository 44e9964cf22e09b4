#include "tools/experiments/report.h"

#include <algorithm>

#include "core/error.h"
#include "core/files.h"
#include "tools/experiments/pictures.h"
#include "tools/experiments/report_text.h"

namespace twinage {
namespace {

// The parts of a line of a Markdown table.
std::string line_of(const std::vector<std::string>& cells) {
  std::string line = "|";
  for (const std::string& cell : cells) line += fmt::format(" {} |", escaped_cell(cell));
  return line + "\n";
}
std::string rule_of(std::size_t cells) {
  std::string line = "|";
  for (std::size_t i = 0; i < cells; ++i) line += "---|";
  return line + "\n";
}

// What was published of a row; several figures one behind the other.
std::vector<std::string> published_cells(const std::vector<PublishedFigure>& published,
                                         const std::string& experiment, const std::string& row,
                                         const std::string& metric) {
  std::vector<std::string> cells{"", ""};
  for (const PublishedFigure& f : published) {
    if (f.experiment != experiment || f.row != row || f.metric != metric) continue;
    const char* join = cells[0].empty() ? "" : "; ";
    cells[0] += fmt::format("{}{}", join, published_text(f));
    cells[1] += fmt::format("{}{}: {}, {}", join, f.method, f.data, f.protocol);
  }
  return cells;
}

bool has_published(const std::vector<PublishedFigure>& published, const std::string& experiment,
                   const Column& column) {
  return column.published && std::ranges::any_of(published, [&](const PublishedFigure& f) {
           return f.experiment == experiment && !f.row.empty() && f.metric == column.key;
         });
}

std::string table_text(const Results& r, const std::vector<PublishedFigure>& published) {
  const Experiment& e = experiment(r.experiment);
  std::vector<std::string> head{"row", "what", "tower"};
  for (const Column& column : e.columns) {
    head.push_back(column.title + (column.unit == Unit::share ? ", %" : ""));
    if (!has_published(published, e.name, column)) continue;
    head.push_back("published" + std::string(column.unit == Unit::share ? ", %" : ", years"));
    head.emplace_back("on other faces: method, data, protocol");
  }
  head.emplace_back("runs");
  std::string text = line_of(head) + rule_of(head.size());
  for (const ExperimentRow& row : e.rows) {
    if (!has_runs(r, row.name)) continue;
    std::vector<std::string> cells{row.name, row.label,
                                   row.preset.empty() ? r.common.preset : row.preset};
    for (const Column& column : e.columns) {
      cells.push_back(
          summary_text(summary_of(r, row.name, column.key), column.unit, column.digits));
      if (!has_published(published, e.name, column)) continue;
      const auto theirs = published_cells(published, e.name, row.name, column.key);
      cells.insert(cells.end(), theirs.begin(), theirs.end());
    }
    cells.push_back(runs_text(r, row.name));
    text += line_of(cells);
  }
  return text;
}

// The error by each read-out, a line for each number of references.
std::string references_text(const Results& r) {
  const Experiment& e = experiment(r.experiment);
  if (!e.measures.references) return "";
  const std::vector<std::string> readouts = readouts_of(r);
  std::string text;
  for (const ExperimentRow& row : e.rows) {
    const std::vector<Index> counts = reference_counts(r, row.name);
    if (counts.empty()) continue;
    std::vector<std::string> head{"references"};
    for (const std::string& readout : readouts) head.push_back(readout + ": MAE, years");
    text += fmt::format("\n## References of {}\n\nThe faces trained on, spread over the ages.\n\n",
                        row.label) +
            line_of(head) + rule_of(head.size());
    for (const Index n : counts) {
      std::vector<std::string> cells{fmt::format("{}", n)};
      for (const std::string& readout : readouts)
        cells.push_back(
            summary_text(summary_of(r, row.name, references_key(readout, n)), Unit::years, 2));
      text += line_of(cells);
    }
  }
  return text;
}

std::string others_text(const std::vector<PublishedFigure>& published, const std::string& name) {
  std::string text;
  for (const PublishedFigure& f : published) {
    if (f.experiment != name || !f.row.empty()) continue;
    text += line_of(
        {f.method, f.metric, published_text(f) + " " + f.unit, f.data, f.protocol, f.source});
  }
  if (text.empty()) return "";
  return "\n## Published, without a row of ours\n\n" +
         line_of({"method", "metric", "value", "data", "protocol", "source"}) + rule_of(6) + text;
}

std::string sources_text(const std::vector<PublishedFigure>& published, const std::string& name) {
  std::vector<std::string> sources;
  for (const PublishedFigure& f : published)
    if (f.experiment == name && !f.row.empty() &&
        std::ranges::find(sources, f.source) == sources.end())
      sources.push_back(f.source);
  if (sources.empty()) return "";
  std::string text = "\nPublished figures: ";
  for (std::size_t i = 0; i < sources.size(); ++i)
    text += fmt::format("{}{}", i == 0 ? "" : "; ", sources[i]);
  return text + ". They were measured on other faces with other protocols: see each row.\n";
}

std::string failures_text(const Results& r) {
  std::string text;
  for (const RunResult& run : r.runs)
    if (run.progress == RunProgress::failed)
      text += fmt::format("- {}, seed {}: {}\n", run.row, run.seed, run.reason);
  return text.empty() ? "" : fmt::format("\n## Failed\n\n{}", text);
}

std::string settings_text(const Results& r) {
  const Experiment& e = experiment(r.experiment);
  std::string text =
      "\n## Settings of the rows\n\n" + line_of({"row", "recipe", "on top of it"}) + rule_of(3);
  for (const ExperimentRow& row : e.rows) {
    if (!has_runs(r, row.name)) continue;
    std::string settings;
    for (const std::string& s : row.settings)
      settings += fmt::format("{}`{}`", settings.empty() ? "" : " ", s);
    text += line_of({row.name, row.recipe, settings});
  }
  return text + "\nEach run's whole configuration: `runs/ROW-seedN.toml`.\n";
}

std::string markdown_of(const Results& r, const std::vector<PublishedFigure>& published,
                        const std::vector<Drawing>& drawings) {
  const Experiment& e = experiment(r.experiment);
  std::string text = fmt::format("# {}: {}\n\nPaper: {}.\n\n", e.name, e.question, e.paper) +
                     line_of({"", ""}) + rule_of(2);
  for (const auto& [name, value] : header_of(r)) text += line_of({name, value});
  text += "\n    " + command_of(r) + "\n\n## Figures\n\n";
  if (r.seeds > 1)
    text += "Mean over the seeds, and in brackets the least and the most of them.\n\n";
  text += table_text(r, published) + sources_text(published, e.name) + failures_text(r) +
          references_text(r);
  for (const Drawing& drawing : drawings)
    text += fmt::format("\n![{}]({})\n", drawing.title, drawing.name);
  return text + others_text(published, e.name) + settings_text(r);
}

}  // namespace

std::string table_of(const Results& results, const std::vector<PublishedFigure>& published) {
  return table_text(results, published);
}

std::vector<ReportFile> report_of(const Results& results,
                                  const std::vector<PublishedFigure>& published) {
  const std::vector<Drawing> drawings = drawings_of(results);
  std::vector<ReportFile> files{{"results.md", markdown_of(results, published, drawings)}};
  for (const Drawing& drawing : drawings) files.push_back({drawing.name, drawing.svg});
  return files;
}

void write_report(const std::filesystem::path& folder, const Results& results) {
  write_file_atomically(folder / "results.json", to_json_text(results));
  for (const ReportFile& file : report_of(results, published_figures()))
    write_file_atomically(folder / file.name, file.text);
}

}  // namespace twinage
