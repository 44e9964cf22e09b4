// What charts of both kinds are made of: extents, axes, whiskers.
#pragma once
#include <string>

#include "tools/charts/svg.h"

namespace twinage {

struct Extent {
  double least = 0, most = 0;
  bool empty = true;

  void add(double value);  // what is not finite is left out
};

// Grid, ticks and numbers of an axis below, its title below them.
void x_axis(Svg& svg, const Scale& x, double top, double bottom, const std::string& title);
// Grid, ticks and numbers of an axis at the left; without a title.
void y_axis(Svg& svg, const Scale& y, double left, double right);
// The range that a value may have, along the axis or (upright) across it.
void whisker(Svg& svg, bool upright, double place, double from, double to);

}  // namespace twinage
