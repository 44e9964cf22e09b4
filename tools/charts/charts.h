// Three charts as SVG: bars, lines and points. Each has a title, a line below it that says of what
// (the faces and how many, the seeds), and axes with units.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace twinage {

// The mean over seeds, from the least to the most: alike where there is one.
struct Range {
  double mean = 0, least = 0, most = 0;
};

struct BarChart {
  struct Bar {
    std::string label, text;  // text: the value as it is written
    Range value;
  };
  std::string title, of_what, axis;
  std::vector<Bar> bars;
};

struct LineChart {
  struct Point {
    double x = 0;
    Range y;
  };
  struct Line {
    std::string name;
    std::vector<Point> points;  // by increasing x
  };
  std::string title, of_what, x_axis, y_axis;
  std::vector<Line> lines;
  bool log_x = false;  // all x are above 0 then
};

// Two panels of the same faces: coloured by age, and by gender.
struct PlaneChart {
  struct Face {
    double x = 0, y = 0, age = 0;  // years
    std::int32_t gender = -1;      // 0 male, 1 female
  };
  std::string title, of_what;
  std::vector<Face> faces;
};

// Each of at least one bar, point or face.
std::string to_svg(const BarChart& chart);
std::string to_svg(const LineChart& chart);
std::string to_svg(const PlaneChart& chart);

}  // namespace twinage
