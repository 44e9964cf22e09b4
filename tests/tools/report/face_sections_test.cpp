#include "tools/report/face_sections.h"

#include <algorithm>
#include <cmath>
#include <set>

#include <doctest/doctest.h>

#include "tests/tools/report/reading_rig.h"

using namespace twinage;
using test::ReadingRig;

namespace {

const Section& section(const Report& report, const std::string& id) {
  for (const Section& s : report.sections)
    if (s.id == id) return s;
  FAIL("no section ", id);
  throw 0;
}

// "34, read 41"
std::pair<double, double> ages_of(const Portrait& portrait) {
  const std::size_t comma = portrait.text.find(", read ");
  REQUIRE(comma != std::string::npos);
  return {std::stod(portrait.text), std::stod(portrait.text.substr(comma + 7))};
}

}  // namespace

TEST_CASE("report: the largest errors come first, and examples are of all ages") {
  const ReadingRig rig;
  MeasuredRun run = rig.measured();
  for (std::size_t k = 0; k < run.shown.size(); ++k)  // errors of 0, 1, 2, ... years, either way
    run.readings.estimates[static_cast<std::size_t>(run.shown[k])].age +=
        static_cast<float>(k) * (k % 2 == 0 ? 1.0F : -1.0F);
  const RunRecord record = read_run(rig.folder / "run");
  Report report;
  add_faces(report, run, &record, {}, false);
  const Section& worst = section(report, "worst-run");
  REQUIRE(worst.portraits.size() == 12);
  for (std::size_t i = 0; i < 12; ++i) {
    const auto [age, read] = ages_of(worst.portraits[i].face);
    CHECK(std::fabs(read - age) ==
          doctest::Approx(static_cast<double>(run.shown.size() - 1 - i)).epsilon(0.02));
  }
  const Section& examples = section(report, "examples-run");
  REQUIRE(examples.portraits.size() == 12);
  for (std::size_t i = 1; i < 12; ++i)
    CHECK(ages_of(examples.portraits[i].face).first >=
          ages_of(examples.portraits[i - 1].face).first);
  const auto [young, old] = std::ranges::minmax(run.readings.dataset.faces, {}, &Face::age);
  CHECK(ages_of(examples.portraits.front().face).first == static_cast<double>(young.age));
  CHECK(ages_of(examples.portraits.back().face).first == static_cast<double>(old.age));
  // Nearest references are shown, for the files of the training are there.
  for (const PortraitRow& row : examples.portraits) {
    REQUIRE(row.rest.size() == 5);
    for (const Portrait& p : row.rest) CHECK(p.sheet >= 0);
  }
}

TEST_CASE("report: pairs most wrongly called the same are near, far apart in age, each face once") {
  const ReadingRig rig;
  MeasuredRun run = rig.measured();
  // Four faces whose embeddings lie where the oldest's does, and all others far from another.
  std::vector<Index> order = run.shown;
  std::ranges::sort(order, {}, [&](Index i) { return run.face(i).age; });
  for (std::size_t k = 0; k < order.size(); ++k)
    run.readings.embedded.z.view().pixel(order[k])[0] =
        k < 3 || k == order.size() - 1 ? -1000.0F : 1000.0F * static_cast<float>(k);
  Report report;
  add_faces(report, run, nullptr, {false}, false);
  const Section& wrong = section(report, "wrong-run");
  REQUIRE_FALSE(wrong.portraits.empty());
  const PortraitRow& first = wrong.portraits[0];
  const double a = ages_of(first.face).first, b = ages_of(first.rest[0]).first;
  CHECK(std::fabs(a - b) ==
        static_cast<double>(run.face(order.back()).age - run.face(order[0]).age));
  CHECK(first.text.find("distance 0.00") != std::string::npos);
  std::multiset<std::string> names;
  for (const PortraitRow& row : wrong.portraits) {
    names.insert(row.face.name);
    names.insert(row.rest[0].name);
    CHECK(row.face.sheet == -1);  // no pictures were asked for
  }
  for (const std::string& name : names) CHECK(names.count(name) == 1);
  CHECK(report.sheets.empty());
}

TEST_CASE("report: a map has each face once in each of its charts, by age and by gender") {
  const ReadingRig rig;
  const MeasuredRun run = rig.measured();
  Report report;
  report.faces.resize(7);  // of a run before it
  add_faces(report, run, nullptr, {}, true);
  const Section& map = section(report, "map-run");
  CHECK(map.title == "Map of the embeddings: run");
  REQUIRE(map.figures.size() == 4);
  CHECK(report.faces.size() == 7 + run.shown.size());
  for (const Figure& f : map.figures) {
    const auto& chart = std::get<PointMap>(f.chart);
    std::size_t points = 0;
    for (const auto& c : chart.classes) {
      for (std::size_t k = 0; k < c.places.size(); ++k) {
        const Face& face = run.face(run.shown[f.faces[points + k] - 7]);
        if (f.id.find("gender") != std::string::npos)
          CHECK(c.name == (face.gender == 0 ? "male" : "female"));
        else
          CHECK(c.name.starts_with(fmt::format("{}", static_cast<int>(face.age) / 10 * 10)));
      }
      points += c.places.size();
    }
    CHECK(points == run.shown.size());
    CHECK(std::set<std::size_t>(f.faces.begin(), f.faces.end()).size() == points);
    CHECK(*std::ranges::min_element(f.faces) == 7);
  }
}
