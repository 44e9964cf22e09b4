// The charts of a page: narrow enough for a phone, as wide as their place where there is more, in
// the page's colours (Look::page). Titles and captions are the page's; `title` and `what` are what
// a screen reader says. Axes have units, what the y axis shows stands above it.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace twinage {

using Points = std::vector<std::pair<double, double>>;

struct Axis {
  std::string title;               // with its unit
  bool from_zero = false;          // 0 is on it
  bool log = false;                // all values are above 0
  std::optional<double> end = {};  // it ends there, whatever the values are
};

// Lines over x. A line's points come by increasing x.
struct Curves {
  struct Line {
    std::string name;
    Points points = {};
    bool steps = false;    // each y holds up to the next x
    bool faint = false;    // what others are compared with: thin, dashed, without a colour
    bool markers = false;  // of few points
    int series = -1;       // whose colour and mark it has; -1: its place among those not faint
  };
  std::string title, what;
  Axis x, y;
  std::vector<Line> lines;
};

// A value with the range it may really have.
struct Estimate {
  double value = 0, low = 0, high = 0;
  std::string text;
  bool few = false;  // of so few faces that it says little: drawn faintly
};

// Groups one below the other, a bar for each series.
struct Bars {
  struct Group {
    std::string name;
    std::vector<std::optional<Estimate>> values;  // [series]
  };
  std::string title, what, axis;
  std::vector<std::string> series;  // names; one: no legend
  std::vector<Group> groups;
  std::optional<std::pair<double, double>> target;  // a band where values should lie
  double end = 0;  // the axis reaches at least to here; 0: as far as the values do
};

// How many there are in each cell of a grid; darker where there are more.
struct Density {
  std::string title, what, x_axis, y_axis;
  double cell = 2;                          // its side, in units of the axes, which begin at 0
  std::vector<std::vector<double>> counts;  // [y][x], alike in length
  bool diagonal = true;
};

// Columns side by side over a common x, those of several series stacked.
struct Columns {
  std::string title, what, x_axis, y_axis;
  std::vector<std::string> series;
  double first = 0, width = 1;               // of the first column's x, and of each
  std::vector<std::vector<double>> heights;  // [column][series]
};

// Points in a plane whose axes mean nothing: only what is near what does.
struct PointMap {
  struct Class {
    std::string name, colour;
    Points places;  // within [0, 1]
  };
  std::string title, what;
  std::vector<Class> classes;
};
// Where a map's points are drawn, in the picture's own units. It is kMapSide wide and as high as
// its points need.
inline constexpr double kMapSide = 400, kMapMargin = 8;
class MapFrame {
 public:
  explicit MapFrame(const PointMap& chart);
  double height() const { return 2 * kMapMargin + kInner * (bottom_ - top_); }
  std::pair<double, double> at(const std::pair<double, double>& place) const {
    return {kMapMargin + kInner * place.first, kMapMargin + kInner * (place.second - top_)};
  }

 private:
  static constexpr double kInner = kMapSide - 2 * kMapMargin;
  double top_ = 0, bottom_ = 1;
};

// Each of at least one point, bar, cell or column that is finite; what is not is left out.
std::string to_svg(const Curves& chart);
std::string to_svg(const Bars& chart);
std::string to_svg(const Density& chart);
std::string to_svg(const Columns& chart);
std::string to_svg(const PointMap& chart);

// At most `most` points: means of runs of neighbours.
Points thinned(const Points& points, std::size_t most);

}  // namespace twinage
