#include "tools/charts/page_charts.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "core/error.h"
#include "tools/charts/axes.h"

namespace twinage {
namespace {

constexpr double kWidth = 400, kTop = 24, kLeft = 46, kRight = kWidth - 12, kPlot = 210;
constexpr double kLetter = 6.4, kLine = 18;  // px: of a letter of 12 px, nearly; of a line of words

bool finite(const std::pair<double, double>& p) {
  return std::isfinite(p.first) && std::isfinite(p.second);
}

Scale scale_of(const Axis& axis, const Extent& extent, double from, double to) {
  const double most = axis.end.value_or(extent.most);
  if (axis.log)
    return {extent.least, most > extent.least ? most : 10 * extent.least, from, to, true};
  Scale scale = scale_over(extent.least, most, axis.from_zero, from, to);
  if (axis.end) scale.high = *axis.end;
  return scale;
}

// Names with their marks, in as many lines as they need; returns their height.
class Legend {
 public:
  Legend(Svg& svg, double y) : svg_(svg), y_(y) {}

  // `mark` draws at x, y.
  template <class F>
  void add(const std::string& name, F mark) {
    const double width = 34 + kLetter * static_cast<double>(name.size());
    if (x_ > kLeft && x_ + width > kRight) {
      x_ = kLeft;
      y_ += kLine;
    }
    mark(x_, y_);
    svg_.text(x_ + 22, y_ + 4, name);
    x_ += width + 6;
  }

 private:
  Svg& svg_;
  double x_ = kLeft, y_;
};

// How many lines of words a legend of these names needs.
template <class Names>
double legend_height(const Names& names) {
  double x = kLeft, lines = 1;
  for (const std::string& name : names) {
    const double width = 34 + kLetter * static_cast<double>(name.size());
    if (x > kLeft && x + width > kRight) {
      x = kLeft;
      ++lines;
    }
    x += width + 6;
  }
  return lines * kLine;
}

std::vector<std::string> names_of(const std::vector<Curves::Line>& lines) {
  std::vector<std::string> names;
  for (const auto& line : lines) names.push_back(line.name);
  return names;
}

void draw_line(Svg& svg, const Curves::Line& line, std::size_t number, const Scale& x,
               const Scale& y) {
  std::vector<std::pair<double, double>> places;
  for (const auto& point : line.points) {
    if (!finite(point)) continue;
    const double px = x.at(point.first), py = y.at(std::clamp(point.second, y.low, y.high));
    if (line.steps && !places.empty()) places.emplace_back(px, places.back().second);
    places.emplace_back(px, py);
  }
  svg.path(places, line.faint ? kUnknown : colour_of(number), line.faint ? "4 4" : dash_of(number));
  // A single point would be no line.
  if (line.markers || places.size() == 1)
    for (const auto& [px, py] : places) svg.marker(number, px, py, 3.5, colour_of(number));
}

}  // namespace

std::string to_svg(const Curves& chart) {
  Extent xs, ys;
  for (const Curves::Line& line : chart.lines)
    for (const auto& point : line.points) {
      if (!finite(point)) continue;
      xs.add(point.first);
      ys.add(point.second);
    }
  require(!xs.empty, "[chart] {}: expected at least one point", chart.title);
  const double bottom = kTop + kPlot, legend = bottom + 54;
  const Scale x = scale_of(chart.x, xs, kLeft, kRight);
  const Scale y = scale_of(chart.y, ys, bottom, kTop);
  const bool named =
      std::ranges::any_of(chart.lines, [](const auto& l) { return !l.name.empty(); });
  Svg svg(kWidth, legend + (named ? legend_height(names_of(chart.lines)) : -10), chart.title,
          chart.what, Look::page);
  svg.text(2, 13, chart.y.title);
  x_axis(svg, x, kTop, bottom, chart.x.title);
  y_axis(svg, y, kLeft, kRight);
  Legend names(svg, legend);
  std::size_t place = 0;
  for (const Curves::Line& line : chart.lines) {
    const std::size_t number = line.series < 0 ? place : static_cast<std::size_t>(line.series);
    draw_line(svg, line, number, x, y);
    if (named)
      names.add(line.name, [&](double px, double py) {
        svg.path({{px, py}, {px + 18, py}}, line.faint ? kUnknown : colour_of(number),
                 line.faint ? "4 4" : dash_of(number));
        if (line.markers) svg.marker(number, px + 9, py, 3.5, colour_of(number));
      });
    if (!line.faint) ++place;
  }
  return svg.finish();
}

namespace {

struct BarLayout {
  double left, right, bottom, row;
  Scale x;
};

BarLayout layout_of(const Bars& chart) {
  constexpr double kBar = 15, kGap = 7;
  Extent extent;
  extent.add(0);
  extent.add(chart.end);
  std::size_t longest = 0, longest_text = 0;
  for (const auto& group : chart.groups) {
    longest = std::max(longest, group.name.size());
    for (const auto& value : group.values) {
      if (!value) continue;
      for (const double v : {value->value, value->low, value->high}) extent.add(v);
      longest_text = std::max(longest_text, value->text.size());
    }
  }
  if (chart.target) {
    extent.add(chart.target->first);
    extent.add(chart.target->second);
  }
  const double left = std::min(150.0, 14 + kLetter * static_cast<double>(longest));
  const double right = kRight - kLetter * static_cast<double>(longest_text);
  const double row =
      kBar * static_cast<double>(std::max<std::size_t>(1, chart.series.size())) + kGap;
  const double bottom = 8 + row * static_cast<double>(chart.groups.size());
  Scale x = scale_over(extent.least, extent.most, true, left, right);
  if (chart.end > 0 && extent.most <= chart.end) x.high = chart.end;
  return {left, right, bottom, row, x};
}

void draw_bar(Svg& svg, const BarLayout& l, const Estimate& e, double top, double height,
              std::size_t series) {
  const double zero = l.x.at(0), end = l.x.at(e.value), middle = top + height / 2;
  svg.rectangle(std::min(zero, end), top, std::fabs(end - zero), height - 2, colour_of(series),
                e.few ? 0.35 : 1);
  if (std::isfinite(e.low) && std::isfinite(e.high))
    whisker(svg, false, middle - 1, l.x.at(e.low), l.x.at(e.high));
  svg.text(l.right + 6, middle + 3, e.text);
}

}  // namespace

std::string to_svg(const Bars& chart) {
  const bool any = std::ranges::any_of(chart.groups, [](const auto& group) {
    return std::ranges::any_of(group.values, [](const auto& v) { return v.has_value(); });
  });
  require(any, "[chart] {}: expected at least one bar", chart.title);
  const BarLayout l = layout_of(chart);
  const bool legend = chart.series.size() > 1;
  Svg svg(kWidth, l.bottom + 44 + (legend ? 8 + legend_height(chart.series) : 0), chart.title,
          chart.what, Look::page);
  if (chart.target)
    svg.rectangle(l.x.at(chart.target->first), 4,
                  l.x.at(chart.target->second) - l.x.at(chart.target->first), l.bottom - 4,
                  colour_of(2), 0.2);
  x_axis(svg, l.x, 4, l.bottom, chart.axis);
  svg.line(l.x.at(0), 4, l.x.at(0), l.bottom, kAxis);
  for (std::size_t g = 0; g < chart.groups.size(); ++g) {
    const auto& group = chart.groups[g];
    const double top = 8 + l.row * static_cast<double>(g);
    const double height = (l.row - 7) / static_cast<double>(group.values.size());
    svg.text(l.left - 6, top + (l.row - 7) / 2 + 4, group.name, Anchor::end);
    for (std::size_t s = 0; s < group.values.size(); ++s)
      if (group.values[s] && std::isfinite(group.values[s]->value))
        draw_bar(svg, l, *group.values[s], top + height * static_cast<double>(s), height, s);
  }
  if (legend) {
    Legend names(svg, l.bottom + 58);
    for (std::size_t s = 0; s < chart.series.size(); ++s)
      names.add(chart.series[s],
                [&](double x, double y) { svg.rectangle(x, y - 5, 16, 10, colour_of(s)); });
  }
  return svg.finish();
}

std::string to_svg(const Density& chart) {
  double most = 0;
  for (const auto& row : chart.counts)
    for (const double count : row) most = std::max(most, count);
  require(most > 0, "[chart] {}: expected at least one cell that is not empty", chart.title);
  const double side = kRight - kLeft, bottom = kTop + side;
  const double rows = static_cast<double>(chart.counts.size()),
               columns = static_cast<double>(chart.counts.front().size());
  const double reach = chart.cell * std::max(rows, columns);
  const Scale x{0, reach, kLeft, kRight, false}, y{0, reach, bottom, kTop, false};
  Svg svg(kWidth, bottom + 44, chart.title, chart.what, Look::page);
  svg.text(2, 13, chart.y_axis);
  x_axis(svg, x, kTop, bottom, chart.x_axis);
  y_axis(svg, y, kLeft, kRight);
  const double width = side * chart.cell / reach;
  for (std::size_t row = 0; row < chart.counts.size(); ++row)
    for (std::size_t column = 0; column < chart.counts[row].size(); ++column) {
      const double count = chart.counts[row][column];
      if (!(count > 0)) continue;
      // One face can be seen, and the eye tells few apart from many.
      const double shade = 0.15 + 0.85 * std::log1p(count) / std::log1p(most);
      svg.rectangle(x.at(chart.cell * static_cast<double>(column)),
                    y.at(chart.cell * static_cast<double>(row + 1)), width, width, colour_of(0),
                    shade);
    }
  if (chart.diagonal) svg.line(x.at(0), y.at(0), x.at(reach), y.at(reach), kInk, 1, "4 4");
  return svg.finish();
}

std::string to_svg(const Columns& chart) {
  double most = 0;
  for (const auto& column : chart.heights) {
    double sum = 0;
    for (const double height : column) sum += height;
    most = std::max(most, sum);
  }
  require(most > 0, "[chart] {}: expected at least one column", chart.title);
  const double bottom = kTop + kPlot, legend = bottom + 54;
  const Scale x{chart.first, chart.first + chart.width * static_cast<double>(chart.heights.size()),
                kLeft, kRight, false};
  const Scale y = scale_over(0, most, true, bottom, kTop);
  Svg svg(kWidth, legend + (chart.series.size() > 1 ? legend_height(chart.series) : -10),
          chart.title, chart.what, Look::page);
  svg.text(2, 13, chart.y_axis);
  x_axis(svg, x, kTop, bottom, chart.x_axis);
  y_axis(svg, y, kLeft, kRight);
  for (std::size_t column = 0; column < chart.heights.size(); ++column) {
    const double from = x.at(chart.first + chart.width * static_cast<double>(column));
    const double width = (kRight - kLeft) / static_cast<double>(chart.heights.size());
    double sum = 0;
    for (std::size_t s = 0; s < chart.heights[column].size(); ++s) {
      const double height = chart.heights[column][s];
      if (!(height > 0)) continue;
      svg.rectangle(from + 0.5, y.at(sum + height), std::max(0.6, width - 1),
                    y.at(sum) - y.at(sum + height), colour_of(s));
      sum += height;
    }
  }
  if (chart.series.size() > 1) {
    Legend names(svg, legend);
    for (std::size_t s = 0; s < chart.series.size(); ++s)
      names.add(chart.series[s],
                [&](double px, double py) { svg.rectangle(px, py - 5, 16, 10, colour_of(s)); });
  }
  return svg.finish();
}

MapFrame::MapFrame(const PointMap& chart) {
  Extent ys;
  for (const auto& c : chart.classes)
    for (const auto& p : c.places)
      if (finite(p)) ys.add(p.second);
  if (ys.empty) return;
  top_ = ys.least;
  bottom_ = ys.most;
}

std::string to_svg(const PointMap& chart) {
  const bool any =
      std::ranges::any_of(chart.classes, [](const auto& c) { return !c.places.empty(); });
  require(any, "[chart] {}: expected at least one point", chart.title);
  std::vector<std::string> names;
  for (const auto& c : chart.classes) names.push_back(c.name);
  const MapFrame frame(chart);
  const double legend = frame.height() + 18;
  Svg svg(kMapSide, legend + legend_height(names), chart.title, chart.what, Look::page);
  Legend marks(svg, legend);
  for (const auto& c : chart.classes) {
    std::vector<std::pair<double, double>> places;
    for (const auto& p : c.places)
      if (finite(p)) places.push_back(frame.at(p));
    svg.points(places, 2.2, c.colour, 0.75);
    marks.add(c.name, [&](double x, double y) { svg.points({{x + 9, y}}, 4, c.colour); });
  }
  return svg.finish();
}

Points thinned(const Points& points, std::size_t most) {
  if (points.size() <= most) return points;
  Points means;
  for (std::size_t i = 0; i < most; ++i) {
    const std::size_t begin = i * points.size() / most, end = (i + 1) * points.size() / most;
    double x = 0, y = 0, count = 0;
    for (std::size_t j = begin; j < end; ++j) {
      if (!finite(points[j])) continue;
      x += points[j].first;
      y += points[j].second;
      ++count;
    }
    if (count > 0) means.emplace_back(x / count, y / count);
  }
  return means;
}

}  // namespace twinage
