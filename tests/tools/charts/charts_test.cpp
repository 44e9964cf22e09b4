#include "tools/charts/charts.h"

#include <doctest/doctest.h>

#include "core/error.h"
#include "tests/tools/charts/svg_text.h"
#include "tools/charts/svg.h"

using namespace twinage;
using test::count;
using test::has;

TEST_CASE("a scale puts its ends at its ends, evenly or by logarithms") {
  const Scale even{0, 10, 100, 200, false};
  CHECK(even.at(0) == 100);
  CHECK(even.at(2.5) == 125);
  CHECK(even.at(10) == 200);
  const Scale log{10, 1000, 0, 100, true};
  CHECK(log.at(10) == doctest::Approx(0));
  CHECK(log.at(100) == doctest::Approx(50));
  CHECK(log.at(1000) == doctest::Approx(100));
}

TEST_CASE("ticks are round numbers within the scale") {
  CHECK(Scale{0, 10, 0, 1, false}.ticks() == std::vector<double>{0, 2, 4, 6, 8, 10});
  CHECK(Scale{0, 3, 0, 1, false}.ticks(3) == std::vector<double>{0, 1, 2, 3});
  const std::vector<double> log = Scale{10, 3000, 0, 1, true}.ticks();
  REQUIRE(log.size() == 6);
  const double expected[] = {10, 30, 100, 300, 1000, 3000};
  for (std::size_t i = 0; i < 6; ++i) CHECK(log[i] == doctest::Approx(expected[i]));
}

TEST_CASE("a scale over values reaches round values on either side, and has a width") {
  const Scale s = scale_over(4.8, 11.3, false, 0, 100);
  CHECK(s.low <= 4.8);
  CHECK(s.high >= 11.3);
  CHECK(s.low > 2);
  CHECK(scale_over(4.8, 11.3, true, 0, 100).low == 0);
  const Scale one = scale_over(7, 7, false, 0, 100);
  CHECK(one.high > one.low);
  CHECK(scale_over(-3, -1, true, 0, 100).high == 0);
}

TEST_CASE("numbers are written as people read them") {
  CHECK(tick_text(0) == "0");
  CHECK(tick_text(0.5) == "0.5");
  CHECK(tick_text(1000) == "1,000");
  CHECK(tick_text(123456) == "123,456");
  CHECK(tick_text(-20) == "−20");
  CHECK(tick_text(1000000) == "1,000,000");
  CHECK(tick_text(8e13) == "8e13");
}

TEST_CASE("colours differ, and where they repeat the dashes do not") {
  for (std::size_t a = 0; a < 21; ++a)
    for (std::size_t b = 0; b < a; ++b)
      CHECK_FALSE((colour_of(a) == colour_of(b) && dash_of(a) == dash_of(b)));
  CHECK(colour_between(0) == "#440154");
  CHECK(colour_between(1) == "#fde725");
  CHECK(colour_between(-1) == colour_between(0));
  CHECK(colour_between(0.25) == "#3b528b");
}

TEST_CASE("what would be markup in a text is not") {
  CHECK(xml_escaped("a < b & \"c\" > d\x01") == "a &lt; b &amp; &quot;c&quot; &gt; d ");
  // Names of files may be any bytes.
  CHECK(xml_escaped("\xC3\xA9 \xE9.jpg") == "\xC3\xA9 \xEF\xBF\xBD.jpg");
  CHECK(xml_escaped("a\xC3") == "a\xEF\xBF\xBD");
}

TEST_CASE("a bar chart has a bar, a label and a value for each row, whiskers where seeds differ") {
  const std::string svg = to_svg(
      BarChart{"Error <&>",
               "n = 12 faces",
               "years",
               {{"one", "5.50", {5.5, 5.5, 5.5}}, {"two", "7.00 (6.00 to 8.00)", {7, 6, 8}}}});
  CHECK(has(svg, "<title>Error &lt;&amp;&gt;</title>"));
  CHECK(has(svg, ">one</text>"));
  CHECK(has(svg, ">7.00 (6.00 to 8.00)</text>"));
  CHECK(has(svg, ">n = 12 faces</text>"));
  CHECK(has(svg, ">years</text>"));
  CHECK(count(svg, "fill=\"#0072B2\"") == 2);
  CHECK(count(svg, "stroke=\"#222222\"") == 3);
  CHECK_THROWS_AS(to_svg(BarChart{}), Error);
}

TEST_CASE("a line chart has a line, its markers and its name for each row") {
  LineChart chart{"t", "w", "steps", "years", {}};
  CHECK_THROWS_AS(to_svg(chart), Error);
  chart.lines.push_back({"first", {{1, {9, 9, 9}}, {2, {7, 6, 8}}}});
  chart.lines.push_back({"second", {{1, {8, 8, 8}}}});
  const std::string svg = to_svg(chart);
  CHECK(count(svg, "<circle") == 3);    // two points and the legend's
  CHECK(count(svg, "<polyline") == 4);  // two lines and the legend's
  CHECK(has(svg, ">second</text>"));
  chart.log_x = true;
  chart.lines = {{"one", {{10, {1, 1, 1}}}}};
  CHECK(has(to_svg(chart), ">one</text>"));
}

TEST_CASE("the plane is drawn twice, by age and by gender, each face once in each") {
  const PlaneChart chart{"t", "w", {{0, 0, 10, 0}, {1, 1, 50, 1}, {2, 0, 30, -1}}};
  const std::string svg = to_svg(chart);
  CHECK(has(svg, "by age"));
  CHECK(has(svg, "by gender"));
  CHECK(has(svg, ">unknown</text>"));
  CHECK(has(svg, colour_between(0)));
  CHECK(has(svg, colour_between(1)));
  CHECK(count(svg, "<polygon") == 2);  // a woman is a triangle; and the legend's
  CHECK_FALSE(has(to_svg(PlaneChart{"t", "w", {{0, 0, 10, 0}}}), "unknown"));
  CHECK_THROWS_AS(to_svg(PlaneChart{}), Error);
}
