#include "tools/charts/charts.h"

#include <algorithm>

#include <fmt/format.h>

#include "core/error.h"
#include "tools/charts/axes.h"

namespace twinage {
namespace {

constexpr double kWidth = 760, kTop = 56, kLetter = 6.6;  // px; of a letter of 12 px, nearly

void titles(Svg& svg, const std::string& title, const std::string& of_what) {
  svg.text(16, 24, title, Anchor::start, 16, false, true);
  svg.text(16, 43, of_what, Anchor::start, 12);
}

void titled_y_axis(Svg& svg, const Scale& y, double left, double right, const std::string& title) {
  y_axis(svg, y, left, right);
  svg.text(left - 52, (y.from + y.to) / 2, title, Anchor::middle, 12, true);
}

void age_legend(Svg& svg, double x, double top, double height, double least, double most) {
  constexpr int kSteps = 40;
  for (int i = 0; i < kSteps; ++i)
    svg.rectangle(x, top + height * (kSteps - 1 - i) / kSteps, 12, height / kSteps + 0.5,
                  colour_between(static_cast<double>(i) / (kSteps - 1)));
  svg.text(x, top - 8, "years");
  svg.text(x + 18, top + 10, tick_text(most));
  svg.text(x + 18, top + height, tick_text(least));
}

}  // namespace

std::string to_svg(const BarChart& chart) {
  require(!chart.bars.empty(), "[chart] expected at least one bar");
  constexpr double kRow = 26, kBar = 16;
  Extent extent;
  std::size_t longest = 0, longest_text = 0;
  for (const BarChart::Bar& bar : chart.bars) {
    extent.add(bar.value.most);
    longest = std::max(longest, bar.label.size());
    longest_text = std::max(longest_text, bar.text.size());
  }
  const double left = std::min(380.0, 24 + kLetter * static_cast<double>(longest));
  const double right = kWidth - 24 - kLetter * static_cast<double>(longest_text);
  const double bottom = kTop + 8 + kRow * static_cast<double>(chart.bars.size());
  const Scale x = scale_over(0, std::max(extent.most, 0.0), true, left, right);
  Svg svg(kWidth, bottom + 52, chart.title, chart.of_what + "; " + chart.axis);
  titles(svg, chart.title, chart.of_what);
  x_axis(svg, x, kTop, bottom, chart.axis);
  for (std::size_t i = 0; i < chart.bars.size(); ++i) {
    const BarChart::Bar& bar = chart.bars[i];
    const double middle = kTop + 8 + kRow * (static_cast<double>(i) + 0.5) - 4;
    svg.text(left - 8, middle + 4, bar.label, Anchor::end);
    svg.rectangle(left, middle - kBar / 2, x.at(bar.value.mean) - left, kBar, colour_of(0));
    whisker(svg, false, middle, x.at(bar.value.least), x.at(bar.value.most));
    svg.text(x.at(bar.value.most) + 8, middle + 4, bar.text);
  }
  return svg.finish();
}

std::string to_svg(const LineChart& chart) {
  Extent xs, ys;
  for (const LineChart::Line& line : chart.lines)
    for (const LineChart::Point& p : line.points) {
      xs.add(p.x);
      ys.add(p.y.least);
      ys.add(p.y.most);
    }
  require(!xs.empty, "[chart] expected at least one point");
  const double bottom = 400, left = 72, right = 520;
  const double height =
      std::max(bottom + 52, kTop + 20 + 20 * static_cast<double>(chart.lines.size()));
  // Errors do not begin at 0: their differences are what is looked at.
  const Scale y = scale_over(ys.least, ys.most, false, bottom, kTop + 8);
  Scale x = scale_over(xs.least, xs.most, !chart.log_x, left, right);
  if (chart.log_x) x = {xs.least, xs.most > xs.least ? xs.most : 10 * xs.least, left, right, true};
  Svg svg(kWidth, height, chart.title, chart.of_what + "; " + chart.y_axis);
  titles(svg, chart.title, chart.of_what);
  x_axis(svg, x, kTop + 8, bottom, chart.x_axis);
  titled_y_axis(svg, y, left, right, chart.y_axis);
  for (std::size_t i = 0; i < chart.lines.size(); ++i) {
    std::vector<std::pair<double, double>> places;
    for (const LineChart::Point& p : chart.lines[i].points) {
      places.emplace_back(x.at(p.x), y.at(p.y.mean));
      whisker(svg, true, x.at(p.x), y.at(p.y.least), y.at(p.y.most));
    }
    svg.path(places, colour_of(i), dash_of(i));
    for (const auto& [px, py] : places) svg.marker(i, px, py, 3.5, colour_of(i));
    const double at = kTop + 16 + 20 * static_cast<double>(i);
    svg.path({{right + 16, at}, {right + 44, at}}, colour_of(i), dash_of(i));
    svg.marker(i, right + 30, at, 3.5, colour_of(i));
    svg.text(right + 52, at + 4, chart.lines[i].name);
  }
  return svg.finish();
}

std::string to_svg(const PlaneChart& chart) {
  require(!chart.faces.empty(), "[chart] expected at least one face");
  constexpr double kPanel = 300, kLeft = 72, kGap = 124, kBottom = kTop + 24 + kPanel;
  Extent xs, ys, ages;
  for (const PlaneChart::Face& face : chart.faces) {
    xs.add(face.x);
    ys.add(face.y);
    ages.add(face.age);
  }
  Svg svg(kLeft + 2 * kPanel + kGap + 90, kBottom + 52, chart.title,
          chart.of_what + "; left by age, right by gender");
  titles(svg, chart.title, chart.of_what);
  const double years = std::max(1.0, ages.most - ages.least);
  for (const bool by_gender : {false, true}) {
    const double left = by_gender ? kLeft + kPanel + kGap : kLeft;
    const Scale x = scale_over(xs.least, xs.most, false, left, left + kPanel);
    const Scale y = scale_over(ys.least, ys.most, false, kBottom, kBottom - kPanel);
    x_axis(svg, x, kBottom - kPanel, kBottom, "first number of the embedding");
    titled_y_axis(svg, y, left, left + kPanel, "second number");
    svg.text(left + kPanel / 2, kTop + 16, by_gender ? "by gender" : "by age", Anchor::middle);
    for (const PlaneChart::Face& face : chart.faces) {
      if (!by_gender)
        svg.marker(0, x.at(face.x), y.at(face.y), 2.5,
                   colour_between((face.age - ages.least) / years), 0.8);
      else if (face.gender < 0)
        svg.marker(0, x.at(face.x), y.at(face.y), 2, kUnknown, 0.6);
      else
        svg.marker(face.gender == 1 ? 2 : 0, x.at(face.x), y.at(face.y), 2.5,
                   colour_of(face.gender == 1 ? 1 : 0), 0.6);
    }
    if (!by_gender)
      age_legend(svg, left + kPanel + 8, kBottom - kPanel + 24, 120, ages.least, ages.most);
  }
  const double legend = kLeft + 2 * kPanel + kGap + 12;
  svg.marker(0, legend, kTop + 50, 4, colour_of(0));
  svg.text(legend + 10, kTop + 54, "male");
  svg.marker(2, legend, kTop + 70, 4, colour_of(1));
  svg.text(legend + 10, kTop + 74, "female");
  if (std::ranges::any_of(chart.faces, [](const auto& face) { return face.gender < 0; })) {
    svg.marker(0, legend, kTop + 90, 3, kUnknown);
    svg.text(legend + 10, kTop + 94, "unknown");
  }
  return svg.finish();
}

}  // namespace twinage
