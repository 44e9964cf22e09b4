#include "tools/report/reading_sections.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "core/random.h"
#include "tools/charts/svg.h"

namespace twinage {
namespace {

constexpr Index kPairs = 20'000;

using Groups = std::vector<GroupMetrics> Metrics::*;

std::string count_text(Index count) {
  return tick_text(static_cast<double>(count));
}

std::string spread_text(const std::optional<Spread>& spread, double factor, int digits) {
  if (!spread) return "";
  return fmt::format(" (95 %: {:.{}f} to {:.{}f})", factor * spread->low, digits,
                     factor * spread->high, digits);
}

std::vector<std::string> names_of(std::span<const MeasuredRun> runs) {
  std::vector<std::string> names;
  for (const MeasuredRun& run : runs) names.push_back(run.name);
  return names;
}

std::string caption_of(std::span<const MeasuredRun> runs, const std::string& more = "") {
  std::string text = runs.size() == 1 ? "" : "Each run ";
  text += of_faces(runs.front());
  text[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(text[0])));
  return text + "." + (more.empty() ? "" : " " + more);
}

constexpr const char* kWhiskers =
    "Whiskers: 95 % bootstrap intervals. Faint: fewer than 100 faces.";

// What a bar shows of a group; nothing where the group does not have it.
using Value = std::optional<Estimate> (*)(const GroupMetrics&);

std::optional<Estimate> estimate_of(std::optional<double> value,
                                    const std::optional<Spread>& spread, double factor, int digits,
                                    const GroupMetrics& group) {
  if (!value) return std::nullopt;
  Estimate e;
  e.value = factor * *value;
  e.low = spread ? factor * spread->low : NAN;
  e.high = spread ? factor * spread->high : NAN;
  e.text = fmt::format("{:.{}f}", e.value, digits);
  e.few = group.is_small();
  return e;
}

Bars bars_of(std::span<const MeasuredRun> runs, Groups groups, Value value, std::string axis) {
  Bars chart;
  chart.axis = std::move(axis);
  chart.series = names_of(runs);
  // Runs may have been measured on the same faces, and have the same groups then.
  for (std::size_t r = 0; r < runs.size(); ++r)
    for (const GroupMetrics& group : runs[r].metrics.*groups) {
      const auto name = fmt::format("{} (n={})", group.name, count_text(group.count));
      auto at = std::ranges::find(chart.groups, name, &Bars::Group::name);
      if (at == chart.groups.end())
        at = chart.groups.insert(
            at, {name, std::vector<std::optional<Estimate>>(runs.size(), std::nullopt)});
      at->values[r] = value(group);
    }
  return chart;
}

bool has_bars(const Bars& chart) {
  return std::ranges::any_of(chart.groups, [](const auto& group) {
    return std::ranges::any_of(group.values, [](const auto& v) { return v.has_value(); });
  });
}

void add_bars(Section& section, std::string id, std::string title, std::string caption,
              Bars chart) {
  if (!has_bars(chart)) return;
  section.figures.push_back(
      {std::move(id), std::move(title), std::move(caption), std::move(chart)});
}

Density density_of(const MeasuredRun& run) {
  constexpr double kCell = 2;
  Density chart;
  chart.cell = kCell;
  chart.x_axis = "true age, years";
  chart.y_axis = "age read, years";
  double most = 0;
  for (const Index i : run.shown)
    most = std::max(
        {most, static_cast<double>(run.face(i).age), static_cast<double>(run.estimate(i).age)});
  const auto cells = static_cast<std::size_t>(most / kCell) + 1;
  chart.counts.assign(cells, std::vector<double>(cells, 0));
  for (const Index i : run.shown)
    ++chart.counts[static_cast<std::size_t>(std::max(0.0F, run.estimate(i).age) / kCell)]
                  [static_cast<std::size_t>(run.face(i).age / kCell)];
  return chart;
}

void add_groups(Section& section, std::span<const MeasuredRun> runs) {
  struct Kind {
    const char *id, *name;
    Groups groups;
  };
  const Kind kinds[] = {{"age", "age", &Metrics::by_decade},
                        {"gender", "gender", &Metrics::by_gender},
                        {"race", "race, as the data set names it", &Metrics::by_race}};
  const Value mae = [](const GroupMetrics& g) { return estimate_of(g.mae, g.mae_spread, 1, 1, g); };
  const Value bias = [](const GroupMetrics& g) {
    std::optional<Estimate> e = estimate_of(g.bias, g.bias_spread, 1, 1, g);
    e->text = fmt::format("{:+.1f}", e->value);
    return e;
  };
  const Value gender = [](const GroupMetrics& g) {
    return estimate_of(g.gender_accuracy, g.gender_spread, 100, 0, g);
  };
  for (const Kind& kind : kinds) {
    add_bars(section, fmt::format("error-{}", kind.id), fmt::format("Error by {}", kind.name),
             caption_of(runs, kWhiskers), bars_of(runs, kind.groups, mae, "mean |error|, years"));
    add_bars(section, fmt::format("bias-{}", kind.id), fmt::format("Bias by {}", kind.name),
             caption_of(runs, std::string("Above 0: read too old. ") + kWhiskers),
             bars_of(runs, kind.groups, bias, "mean of age read - true age, years"));
    Bars genders = bars_of(runs, kind.groups, gender, "gender right, % of labelled faces");
    genders.end = 100;
    add_bars(section, fmt::format("gender-{}", kind.id),
             fmt::format("Gender right by {}", kind.name), caption_of(runs, kWhiskers),
             std::move(genders));
  }
}

Table figures_of(std::span<const MeasuredRun> runs) {
  Table table{"Figures of all faces", {""}, {}, 1};
  for (const MeasuredRun& run : runs) table.head.push_back(run.name);
  using Cell = std::string (*)(const MeasuredRun&);
  const auto share = [](const std::optional<double>& value, const std::optional<Spread>& spread) {
    return value ? fmt::format("{:.1f} %{}", 100 * *value, spread_text(spread, 100, 1)) : "–";
  };
  static const auto share_text = share;
  const std::pair<const char*, Cell> lines[] = {
      {"faces", [](const MeasuredRun& m) { return count_text(m.metrics.all.count); }},
      {"mean absolute error",
       [](const MeasuredRun& m) {
         return fmt::format("{:.2f} years{}", m.metrics.all.mae,
                            spread_text(m.metrics.all.mae_spread, 1, 2));
       }},
      {"median of |error|",
       [](const MeasuredRun& m) {
         return fmt::format("{:.2f} years", m.metrics.all.median_error);
       }},
      {"within 5 years",
       [](const MeasuredRun& m) { return fmt::format("{:.1f} %", 100 * m.metrics.all.cs[5]); }},
      {"bias",
       [](const MeasuredRun& m) {
         return fmt::format("{:+.2f} years{}", m.metrics.all.bias,
                            spread_text(m.metrics.all.bias_spread, 1, 2));
       }},
      {"gender right",
       [](const MeasuredRun& m) {
         return share_text(m.metrics.all.gender_accuracy, m.metrics.all.gender_spread);
       }},
      {"the same from 10 years on",
       [](const MeasuredRun& m) {
         const auto& older = m.metrics.ten_and_older;
         return older ? share_text(older->gender_accuracy, older->gender_spread) : "–";
       }},
      {"true age inside the interval",
       [](const MeasuredRun& m) {
         return share_text(m.metrics.all.interval_share, m.metrics.all.interval_spread);
       }},
      {"error of saying the training faces' median age",
       [](const MeasuredRun& m) {
         return fmt::format("{:.2f} years", m.metrics.mae_of_training_median);
       }},
  };
  for (const auto& [name, cell] : lines) {
    std::vector<std::string> row{name};
    for (const MeasuredRun& run : runs) row.push_back(cell(run));
    table.rows.push_back(std::move(row));
  }
  return table;
}

// Of the faces that are shown.
LabelledDistances pairs_of(const MeasuredRun& run) {
  const Tensor z = shown_embeddings(run);
  std::vector<float> ages;
  for (const Index i : run.shown) ages.push_back(run.face(i).age);
  return sample_distances(run.reader->context(), z.view(), ages,
                          run.reader->model().calibration.tau, kPairs, 1);
}

// The share of same pairs at each distance, as what "same class" would cost: of the two kinds, the
// shares that are nearer than a threshold.
Points roc_of(const LabelledDistances& pairs) {
  std::vector<std::size_t> order(pairs.distances.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::ranges::stable_sort(order, {}, [&](std::size_t i) { return pairs.distances[i]; });
  double same = 0, other = 0;
  for (const std::uint8_t s : pairs.same) (s != 0 ? same : other) += 1;
  Points curve{{0, 0}};
  double hits = 0, false_alarms = 0;
  for (std::size_t i = 0; i < order.size(); ++i) {
    (pairs.same[order[i]] != 0 ? hits : false_alarms) += 1;
    if (i % std::max<std::size_t>(1, order.size() / 150) == 0)
      curve.emplace_back(100 * false_alarms / other, 100 * hits / same);
  }
  curve.emplace_back(100, 100);
  return curve;
}

// P(same class | D) as the model says it, and the share of pairs that are: over random pairs of the
// faces, not half of either kind.
struct Reliability {
  Points said, seen;
  Index pairs = 0;
};

Reliability reliability_of(const MeasuredRun& run) {
  constexpr std::size_t kBins = 12;
  Reliability r;
  const Calibration& calibration = run.reader->model().calibration;
  double end = 0;
  for (std::size_t i = 0; i < calibration.distances.size(); ++i)
    end = std::max(end, static_cast<double>(calibration.distances[i]));
  r.said.emplace_back(0, 100.0F * calibration.probability(0));
  for (std::size_t i = 0; i < calibration.distances.size(); ++i)
    r.said.emplace_back(calibration.distances[i],
                        100.0F * calibration.probability(calibration.distances[i]));
  std::vector<std::pair<double, bool>> pairs;
  Random random(1, stream_of("reliability"));
  const auto count = static_cast<std::uint64_t>(run.shown.size());
  if (count < 2) return r;
  const ConstView z = run.readings.embedded.z.view();
  for (Index p = 0; p < kPairs; ++p) {
    const Index a = run.shown[random.below(count)], b = run.shown[random.below(count)];
    if (a == b) continue;
    double square = 0;
    for (Index k = 0; k < z.shape.c; ++k) {
      const double gap = static_cast<double>(z.pixel(a)[k]) - static_cast<double>(z.pixel(b)[k]);
      square += gap * gap;
    }
    pairs.emplace_back(std::sqrt(square),
                       std::fabs(run.face(a).age - run.face(b).age) <= calibration.tau);
  }
  std::ranges::sort(pairs);
  r.pairs = static_cast<Index>(pairs.size());
  for (std::size_t bin = 0; bin < kBins; ++bin) {
    const std::size_t begin = bin * pairs.size() / kBins, after = (bin + 1) * pairs.size() / kBins;
    double distance = 0, same = 0;
    for (std::size_t i = begin; i < after; ++i) {
      distance += pairs[i].first;
      same += pairs[i].second ? 1 : 0;
    }
    const auto n = static_cast<double>(after - begin);
    if (after > begin) r.seen.emplace_back(distance / n, 100 * same / n);
  }
  return r;
}

}  // namespace

std::string of_faces(const MeasuredRun& m) {
  const Index count = m.metrics.all.count;
  const bool unseen = m.origins.unseen == count;
  return fmt::format("on {} faces of {}{}", count_text(count), m.data,
                     unseen ? " that it never saw" : "");
}

std::string summary_of(const MeasuredRun& m) {
  const GroupMetrics& all = m.metrics.all;
  std::string text = fmt::format("reads ages with a mean error of {:.2f} years{}", all.mae,
                                 spread_text(all.mae_spread, 1, 2));
  if (all.gender_accuracy)
    text += fmt::format(" and {:.1f} % of genders right", 100 * *all.gender_accuracy);
  text += " " + of_faces(m);
  if (all.interval_share)
    text += fmt::format("; {:.0f} % of true ages lie inside its {:.0f} % interval",
                        100 * *all.interval_share, 100 * kCoverage);
  return text;
}

Section errors_of(std::span<const MeasuredRun> runs) {
  Section section{"errors", "How well it reads"};
  section.tables.push_back(figures_of(runs));
  for (const MeasuredRun& run : runs)
    section.figures.push_back(
        {fmt::format("density-{}", &run - runs.data()),
         runs.size() == 1 ? "Age read against true age"
                          : fmt::format("Age read against true age: {}", run.name),
         caption_of(std::span(&run, 1),
                    "Darker: more faces. On the dashed line a face is read right."),
         density_of(run)});
  Curves cs;
  cs.x = {.title = "error at most, years", .from_zero = true};
  cs.y = {.title = "% of faces", .from_zero = true, .end = 100};
  for (const MeasuredRun& run : runs) {
    Curves::Line line{runs.size() == 1 ? "all faces" : run.name, {}, false, false, true};
    for (std::size_t t = 0; t < run.metrics.all.cs.size(); ++t)
      line.points.emplace_back(static_cast<double>(t), 100 * run.metrics.all.cs[t]);
    cs.lines.push_back(std::move(line));
  }
  section.figures.push_back({"cs", "Cumulative score", caption_of(runs), std::move(cs)});
  add_groups(section, runs);
  return section;
}

Section intervals_of(std::span<const MeasuredRun> runs) {
  Section section{"intervals", "May its interval be trusted?"};
  const Value coverage = [](const GroupMetrics& g) {
    return estimate_of(g.interval_share, g.interval_spread, 100, 0, g);
  };
  const Value width = [](const GroupMetrics& g) {
    return estimate_of(g.interval_width, std::nullopt, 1, 1, g);
  };
  for (const MeasuredRun& run : runs)
    section.paragraphs.push_back(fmt::format("{}Intervals: {}.",
                                             runs.size() == 1 ? "" : run.name + ": ",
                                             claim_text(run.reader->model().calibration.claim())));
  Bars shares = bars_of(runs, &Metrics::by_decade, coverage, "true age inside, % of faces");
  shares.target = std::pair(70.0, 90.0);
  shares.end = 100;
  add_bars(section, "coverage-age", "True age inside the interval, by age",
           caption_of(runs, std::string("Meant are 80 %; the band is 70 to 90 %. ") + kWhiskers),
           std::move(shares));
  add_bars(section, "width-age", "Width of the interval, by age",
           caption_of(runs, "Faint: fewer than 100 faces."),
           bars_of(runs, &Metrics::by_decade, width, "mean width, years"));
  return section;
}

Section same_class_of(std::span<const MeasuredRun> runs) {
  Section section{"same-class", "Of the same age or not?"};
  Curves roc;
  roc.x = {.title = "of pairs of other classes, called same, %", .from_zero = true, .end = 100};
  roc.y = {.title = "of pairs of the same class, called same, %", .from_zero = true, .end = 100};
  for (const MeasuredRun& run : runs) {
    if (!run.has_embeddings() || run.readings.embedded.z.empty()) continue;
    const std::string tau = fmt::format("{:g}", run.reader->model().calibration.tau);
    if (!run.reader->model().calibration.distances.empty()) {
      Reliability r = reliability_of(run);
      Curves chart;
      chart.x = {.title = "distance D of two embeddings", .from_zero = true};
      chart.y = {.title = "same class, % of pairs", .from_zero = true, .end = 100};
      chart.lines = {{"the model says", std::move(r.said), true},
                     {"these faces", r.seen, false, false, true}};
      section.figures.push_back(
          {fmt::format("reliability-{}", &run - runs.data()),
           fmt::format("P(same class | D){}", runs.size() == 1 ? "" : ": " + run.name),
           fmt::format("Same class: ages within {} years. {} random pairs of {} faces.", tau,
                       count_text(r.pairs), count_text(static_cast<Index>(run.shown.size()))),
           std::move(chart)});
    }
    const LabelledDistances pairs = pairs_of(run);
    if (!pairs.distances.empty())
      roc.lines.push_back(
          {fmt::format("{}AUC {:.3f}", runs.size() == 1 ? "" : run.name + ": ", roc_auc(pairs)),
           roc_of(pairs)});
  }
  if (!roc.lines.empty()) {
    roc.lines.push_back({"by chance", {{0, 0}, {100, 100}}, false, true});
    section.figures.push_back(
        {"roc", "Telling faces of one age class from others (ROC)",
         fmt::format("{} pairs for each run, half of them of the same class.", count_text(kPairs)),
         std::move(roc)});
  }
  if (section.figures.empty())
    section.paragraphs.emplace_back(
        "This model has no embedding, or these faces make no pairs of both kinds: nothing is "
        "compared.");
  return section;
}

}  // namespace twinage
