#include "tools/report/reading_sections.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <doctest/doctest.h>

#include "tests/tools/report/reading_rig.h"

using namespace twinage;
using test::ReadingRig;

namespace {

const Figure& figure(const Section&& section, const std::string& id) = delete;
const Figure& figure(const Section& section, const std::string& id) {
  for (const Figure& f : section.figures)
    if (f.id == id) return f;
  FAIL("no figure ", id);
  throw 0;
}

GroupMetrics group(const std::string& name, Index count, double mae) {
  GroupMetrics g;
  g.name = name;
  g.count = count;
  g.mae = mae;
  return g;
}

}  // namespace

TEST_CASE("report: the density has each face at its true age and the age that was read") {
  const ReadingRig rig;
  std::vector<MeasuredRun> runs;
  runs.push_back(rig.measured());
  MeasuredRun& run = runs[0];
  const Index odd = run.shown[3];
  const float age = run.face(odd).age;
  run.readings.estimates[static_cast<std::size_t>(odd)].age = 200.5F;
  const Section section = errors_of(runs);
  const auto& density = std::get<Density>(figure(section, "density-0").chart);
  double total = 0;
  for (const auto& row : density.counts) {
    CHECK(row.size() == density.counts.size());
    total += std::accumulate(row.begin(), row.end(), 0.0);
  }
  CHECK(total == static_cast<double>(run.shown.size()));
  CHECK(density.counts.size() == 101);
  CHECK(density.counts[100][static_cast<std::size_t>(age / 2)] == 1);
  for (const Index i : run.shown)
    if (i != odd)
      CHECK(density.counts[static_cast<std::size_t>(run.face(i).age / 2)]
                          [static_cast<std::size_t>(run.face(i).age / 2)] >= 1);
}

TEST_CASE(
    "report: bars have every group of every run, faint where it is small, none where there is "
    "none") {
  const ReadingRig rig;
  std::vector<MeasuredRun> runs;
  runs.push_back(rig.measured("a"));
  runs.push_back(rig.measured("b"));
  runs[0].metrics.by_decade = {group("0-9", 150, 2), group("10-19", 30, 4)};
  runs[0].metrics.by_decade[0].mae_spread = Spread{1.5, 2.5};
  runs[1].metrics.by_decade = {group("10-19", 30, 5), group("20-29", 120, 6)};
  const Section section = errors_of(runs);
  const auto& bars = std::get<Bars>(figure(section, "error-age").chart);
  CHECK(bars.series == std::vector<std::string>{"a", "b"});
  REQUIRE(bars.groups.size() == 3);
  CHECK(bars.groups[0].name == "0-9 (n=150)");
  CHECK(bars.groups[0].values[0]->value == 2);
  CHECK(bars.groups[0].values[0]->low == 1.5);
  CHECK(bars.groups[0].values[0]->high == 2.5);
  CHECK_FALSE(bars.groups[0].values[0]->few);
  CHECK_FALSE(bars.groups[0].values[1].has_value());
  CHECK(bars.groups[1].values[0]->value == 4);
  CHECK(bars.groups[1].values[0]->few);
  CHECK(std::isnan(bars.groups[1].values[0]->low));
  CHECK(bars.groups[1].values[1]->value == 5);
  CHECK(bars.groups[2].values[1]->value == 6);
  // Where nobody has a gender there is no chart of it.
  for (MeasuredRun& run : runs)
    for (auto groups : {&Metrics::by_decade, &Metrics::by_gender, &Metrics::by_race})
      for (GroupMetrics& g : run.metrics.*groups) g.gender_accuracy.reset();
  for (const Figure& f : errors_of(runs).figures) CHECK_FALSE(f.id.starts_with("gender-"));
}

TEST_CASE("report: what these faces say of P(same class | D) is counted from their distances") {
  const ReadingRig rig;
  std::vector<MeasuredRun> runs;
  runs.push_back(rig.measured());
  const Section section = same_class_of(runs);
  const auto& chart = std::get<Curves>(figure(section, "reliability-0").chart);
  REQUIRE(chart.lines.size() == 2);
  const Points& seen = chart.lines[1].points;
  REQUIRE(seen.size() == 12);
  // A line: a distance of 0.3 is three years, which is tau. So nearest pairs are of one class, and
  // from there on none is; within a bin of twelve of them there may be both.
  CHECK(seen.front().second == doctest::Approx(100));
  CHECK(seen.back().second == 0);
  int mixed = 0;
  for (std::size_t i = 0; i < seen.size(); ++i) {
    if (i > 0) CHECK(seen[i].first > seen[i - 1].first);
    if (seen[i].second > 0 && seen[i].second < 100) ++mixed;
    if (seen[i].first > 0.8) CHECK(seen[i].second == 0);
  }
  CHECK(mixed <= 1);
  const auto& ages = runs[0].readings.dataset.faces;
  const auto [young, old] = std::ranges::minmax(ages, {}, &Face::age);
  CHECK(seen.back().first <= static_cast<double>(old.age - young.age) / 10 + 1e-6);
  // Told apart without an error: up to all same pairs before the first of the others.
  const auto& roc = std::get<Curves>(figure(section, "roc").chart);
  CHECK(roc.lines[0].name == "AUC 1.000");
  for (const auto& [alarms, hits] : roc.lines[0].points) CHECK((alarms == 0 || hits == 100));
}

TEST_CASE("report: the line above all says how good it is, on how many faces that it never saw") {
  const ReadingRig rig;
  MeasuredRun run = rig.measured();
  run.metrics.all.mae = 5.126;
  run.metrics.all.mae_spread = Spread{4.914, 5.356};
  run.metrics.all.gender_accuracy = 0.9213;
  run.metrics.all.interval_share = 0.807;
  CHECK(summary_of(run) ==
        fmt::format("reads ages with a mean error of 5.13 years (95 %: 4.91 to 5.36) and 92.1 % of "
                    "genders right on {} faces of others that it never saw; 81 % of true ages lie "
                    "inside its 80 % interval",
                    run.shown.size()));
  run.metrics.all.gender_accuracy.reset();
  run.metrics.all.interval_share.reset();
  run.metrics.all.mae_spread.reset();
  run.origins.unseen = 0;
  CHECK(summary_of(run) ==
        fmt::format("reads ages with a mean error of 5.13 years on {} faces of others",
                    run.shown.size()));
}
