#include "tools/charts/axes.h"

#include <algorithm>
#include <cmath>

namespace twinage {

void Extent::add(double value) {
  if (!std::isfinite(value)) return;
  least = empty ? value : std::min(least, value);
  most = empty ? value : std::max(most, value);
  empty = false;
}

void x_axis(Svg& svg, const Scale& x, double top, double bottom, const std::string& title) {
  for (const double tick : x.ticks()) {
    svg.line(x.at(tick), top, x.at(tick), bottom, kGrid);
    svg.text(x.at(tick), bottom + 16, tick_text(tick), Anchor::middle);
  }
  svg.line(x.from, bottom, x.to, bottom, kAxis);
  svg.text((x.from + x.to) / 2, bottom + 36, title, Anchor::middle);
}

void y_axis(Svg& svg, const Scale& y, double left, double right) {
  for (const double tick : y.ticks()) {
    svg.line(left, y.at(tick), right, y.at(tick), kGrid);
    svg.text(left - 8, y.at(tick) + 4, tick_text(tick), Anchor::end);
  }
  svg.line(left, y.from, left, y.to, kAxis);
}

void whisker(Svg& svg, bool upright, double place, double from, double to) {
  constexpr double kEnd = 4;
  if (from == to) return;
  const auto line = [&](double a1, double b1, double a2, double b2) {
    if (upright)
      svg.line(b1, a1, b2, a2, kInk, 1.5);
    else
      svg.line(a1, b1, a2, b2, kInk, 1.5);
  };
  line(from, place, to, place);
  line(from, place - kEnd, from, place + kEnd);
  line(to, place - kEnd, to, place + kEnd);
}

}  // namespace twinage
