#include "tools/experiments/report_text.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "siamese/readouts/table.h"
#include "tools/charts/svg.h"

namespace twinage {
namespace {

std::string number_text(double value, Unit unit, int digits) {
  if (unit == Unit::count) return count_text(value);
  return fmt::format("{:.{}f}", unit == Unit::share ? 100 * value : value, digits);
}

// In single quotes where a shell would see more in it than a word.
std::string shell_word(const std::string& text) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
      "0123456789_-./=,:+@%";
  if (!text.empty() && text.find_first_not_of(kPlain) == std::string::npos) return text;
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

// Of the runs that are done; alike in all of them, or from the first.
double first_figure(const Results& results, const std::string& key) {
  for (const RunResult& run : results.runs)
    if (run.progress == RunProgress::done && run.figure(key)) return *run.figure(key);
  return 0;
}

}  // namespace

std::string escaped_cell(std::string text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '|') escaped += '\\';
    escaped += c == '\n' || c == '\r' ? ' ' : c;
  }
  return escaped;
}

std::string summary_text(const Summary& s, Unit unit, int digits) {
  if (s.runs == 0) return "–";
  const std::string mean = number_text(s.mean, unit, digits),
                    least = number_text(s.least, unit, digits),
                    most = number_text(s.most, unit, digits);
  return least == most ? mean : fmt::format("{} ({} to {})", mean, least, most);
}

std::string published_text(const PublishedFigure& figure) {
  std::string text = fmt::format("{:.2f}", figure.value);
  if (figure.unit == "%" && text.back() == '0') text.pop_back();
  return text;
}

std::string count_text(double count) {
  return tick_text(static_cast<double>(static_cast<std::int64_t>(count + 0.5)));
}

std::string runs_text(const Results& results, const std::string& row) {
  Index done = 0, failed = 0, all = 0;
  for (const RunResult& run : results.runs) {
    if (run.row != row) continue;
    ++all;
    done += run.progress == RunProgress::done;
    failed += run.progress == RunProgress::failed;
  }
  return fmt::format("{} of {}{}", done, all, failed > 0 ? fmt::format(", {} failed", failed) : "");
}

bool has_runs(const Results& results, const std::string& row) {
  return std::ranges::any_of(results.runs, [&](const RunResult& run) { return run.row == row; });
}

std::string budget_text(const CommonOptions& common) {
  if (common.steps > 0) return fmt::format("{} steps a run", common.steps);
  return fmt::format("{} minutes a run", common.minutes);
}

std::vector<std::pair<std::string, std::string>> header_of(const Results& r) {
  std::string settings;
  for (const std::string& s : r.common.settings) settings += (settings.empty() ? "" : " ") + s;
  const double faces = first_figure(r, "faces"), trained_on = first_figure(r, "trained_on");
  std::vector<std::pair<std::string, std::string>> header{
      {"protocol", r.protocol},
      {"data", fmt::format("{}, measured with {}", r.common.data, r.common.val)}};
  if (faces > 0)
    header.emplace_back("faces", fmt::format("{} trained on, {} measured", count_text(trained_on),
                                             count_text(faces)));
  header.emplace_back("budget", budget_text(r.common));
  header.emplace_back("preset", r.common.preset);
  if (!settings.empty()) header.emplace_back("settings of all rows", settings);
  header.emplace_back("seeds", fmt::format("{}", r.seeds));
  header.emplace_back(
      "machine", fmt::format("{} cores of {}, device {}; {} runs at a time, threads of each: {}",
                             r.cores, r.processor, r.device, r.jobs, r.threads_a_run));
  header.emplace_back("commit", r.commit);
  header.emplace_back("date", r.date);
  return header;
}

std::string of_what(const Results& r) {
  const double faces = first_figure(r, "faces");
  return fmt::format("{}: n = {} faces; {}; preset {}{}", r.protocol, count_text(faces),
                     budget_text(r.common), r.common.preset,
                     r.seeds > 1 ? fmt::format("; {} seeds: mean, least and most", r.seeds) : "");
}

std::string command_of(const Results& r) {
  const CommonOptions& c = r.common;
  std::string text = fmt::format("twinage experiment {} --data {} --val {}", r.experiment,
                                 shell_word(c.data), shell_word(c.val));
  if (c.format != "auto") text += " --format " + c.format;
  if (c.age_ranges != AgeRanges::skip) text += " --age-ranges " + to_string(c.age_ranges);
  text +=
      c.steps > 0 ? fmt::format(" --steps {}", c.steps) : fmt::format(" --minutes {}", c.minutes);
  text += fmt::format(" --preset {} --seeds {} --jobs {}", c.preset, r.seeds, r.jobs);
  for (const std::string& s : c.settings) text += " --set " + shell_word(s);
  return text + " --out FOLDER";
}

std::string references_key(const std::string& readout, Index references) {
  return fmt::format("mae:{}@{}", readout, references);
}

std::vector<std::string> readouts_of(const Results& results) {
  std::vector<std::string> names;
  for (const ReadoutRow& row : readout_table()) {
    const std::string start = fmt::format("mae:{}@", to_string(row.kind));
    const bool measured = std::ranges::any_of(results.runs, [&](const RunResult& run) {
      const auto found = run.figures.lower_bound(start);
      return found != run.figures.end() && found->first.starts_with(start);
    });
    if (measured) names.push_back(to_string(row.kind));
  }
  return names;
}

std::vector<Index> reference_counts(const Results& results, const std::string& row) {
  std::set<Index> counts;
  for (const RunResult& run : results.runs) {
    if (run.row != row) continue;
    for (const auto& [key, value] : run.figures)
      if (key.starts_with("mae:") && key.find('@') != std::string::npos)
        counts.insert(std::stoll(key.substr(key.find('@') + 1)));
  }
  return {counts.begin(), counts.end()};
}

}  // namespace twinage
