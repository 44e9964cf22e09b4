#include "tools/charts/page_charts.h"

#include <cmath>

#include <doctest/doctest.h>

#include "core/error.h"
#include "tests/tools/charts/svg_text.h"

using namespace twinage;
using test::count;
using test::has;

TEST_CASE("a page's charts take their colours from the page and say what they show") {
  Curves chart{"Loss <1>", "of 12 faces", {"steps"}, {"loss"}, {{"total", {{0, 2}, {10, 1}}}}};
  const std::string svg = to_svg(chart);
  CHECK(has(svg, "<title>Loss &lt;1&gt;</title><desc>of 12 faces</desc>"));
  CHECK(has(svg, "var(--s0)"));
  CHECK(has(svg, "var(--ink)"));
  CHECK_FALSE(has(svg, "#0072B2"));
  CHECK_FALSE(has(svg, "#ffffff"));
  CHECK(has(svg, ">steps</text>"));
  CHECK(has(svg, ">loss</text>"));
}

TEST_CASE("curves: a line each, points that are no number are left out, names make a legend") {
  Curves chart{"t", "w", {"x"}, {"y"}, {{"", {{0, 1}, {1, NAN}, {2, 3}}}}};
  CHECK(count(to_svg(chart), "<polyline") == 1);
  CHECK_FALSE(has(to_svg(chart), "nan"));
  chart.lines[0].name = "one";
  CHECK(has(to_svg(chart), ">one</text>"));
  CHECK(has(to_svg(chart), "var(--s0)"));
  chart.lines[0].series = 2;  // as in the charts beside it, where two others come first
  CHECK(has(to_svg(chart), "var(--s2)"));
  CHECK_FALSE(has(to_svg(chart), "var(--s0)"));
  chart.lines[0].series = -1;
  chart.lines.push_back({"two", {{5, INFINITY}, {6, 1}}});
  const std::string two = to_svg(chart);
  CHECK(has(two, ">one</text>"));
  CHECK(has(two, ">two</text>"));
  CHECK_FALSE(has(two, "inf"));
  CHECK(count(two, "<rect") == 1);  // the only point of the second line has to be seen: its marker
  chart.lines = {{"none", {{0, NAN}}}};
  CHECK_THROWS_AS(to_svg(chart), Error);
}

TEST_CASE("curves: steps hold each value up to the next") {
  const Curves chart{"t", "w", {"x"}, {"y"}, {{"one", {{0, 10}, {1, 0}}, true}}};
  const std::string svg = to_svg(chart);
  const auto at = svg.find("points=\"");
  const std::string points = svg.substr(at + 8, svg.find('"', at + 8) - at - 8);
  CHECK(count(points, " ") == 2);  // three places: over, and down
}

TEST_CASE("bars: one for each value that is there, whiskers, a band, both signs") {
  Bars chart;
  chart.title = "Bias";
  chart.axis = "years";
  chart.series = {"run"};
  chart.groups = {{"0-9", {Estimate{2, 1, 3, "+2.0"}}},
                  {"10-19", {Estimate{-4, NAN, NAN, "-4.0", true}}},
                  {"20-29", {std::nullopt}}};
  const std::string svg = to_svg(chart);
  CHECK(count(svg, "<rect") == 2);
  CHECK(count(svg, "fill-opacity=\"0.35\"") == 1);  // the one of few faces
  CHECK(count(svg, "stroke-width=\"1.5\"") == 3);   // one whisker, of three strokes
  CHECK(has(svg, ">+2.0</text>"));
  CHECK_FALSE(has(svg, "nan"));
  chart.target = std::pair(70.0, 90.0);
  CHECK(count(to_svg(chart), "<rect") == 3);
  chart.series = {"a", "b"};
  for (auto& group : chart.groups) group.values.resize(2);
  CHECK(has(to_svg(chart), ">b</text>"));
  chart.groups = {{"0-9", {std::nullopt}}};
  CHECK_THROWS_AS(to_svg(chart), Error);
}

TEST_CASE("density: a cell where faces are, darker where there are more, and the diagonal") {
  Density chart;
  chart.counts = {{1, 0}, {0, 8}};
  const std::string svg = to_svg(chart);
  CHECK(count(svg, "<rect") == 2);
  CHECK(count(svg, "fill-opacity") == 1);  // the fullest is solid
  CHECK(count(svg, "stroke-dasharray") == 1);
  chart.counts = {{0, 0}};
  CHECK_THROWS_AS(to_svg(chart), Error);
}

TEST_CASE("columns are stacked, those of nothing are left out") {
  Columns chart;
  chart.series = {"male", "female"};
  chart.heights = {{2, 1}, {0, 3}};
  CHECK(count(to_svg(chart), "<rect") == 3 + 2);  // and the legend's
  chart.heights = {{0, 0}};
  CHECK_THROWS_AS(to_svg(chart), Error);
}

TEST_CASE("a map has each point once, in its class's colour") {
  PointMap chart;
  chart.classes = {{"young", "#440154", {{0, 0}, {1, 1}}}, {"old", "#fde725", {{0.5, 0.5}}}};
  const std::string svg = to_svg(chart);
  CHECK(count(svg, "h0") == 3 + 2);  // and the legend's
  CHECK(has(svg, "M8.0 8.0h0M392.0 392.0h0"));
  CHECK(has(svg, ">old</text>"));
  CHECK(has(svg, "viewBox=\"0 0 400 "));
  CHECK_THROWS_AS(to_svg(PointMap{}), Error);
  // No higher than its points need.
  chart.classes = {{"flat", "#440154", {{0, 0.4}, {1, 0.5}}}};
  CHECK(MapFrame(chart).height() == doctest::Approx(16 + 38.4));
  CHECK(has(to_svg(chart), "M8.0 8.0h0M392.0 46.4h0"));
}

TEST_CASE("many points are thinned to the means of neighbours, few are left as they are") {
  Points points;
  for (int i = 0; i < 1000; ++i) points.emplace_back(i, i % 2 == 0 ? 0 : 2);
  CHECK(thinned(points, 1000) == points);
  const Points thin = thinned(points, 100);
  REQUIRE(thin.size() == 100);
  for (const auto& [x, y] : thin) CHECK(y == doctest::Approx(1));
  CHECK(thin.front().first == doctest::Approx(4.5));
  CHECK(thin.back().first == doctest::Approx(994.5));
  points[3].second = NAN;  // a step whose loss was none does not hide its neighbours
  CHECK(thinned(points, 100)[0].second == doctest::Approx(8.0 / 9));
}
