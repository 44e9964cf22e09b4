// SVG as text: shapes and words, and the scales that turn values into places. Colours are told
// apart with any kind of colour vision (Okabe and Ito 2008), and never alone: every line has a
// marker or dash of its own.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace twinage {

std::string xml_escaped(std::string_view text);        // control characters become spaces
std::string xml_escaped_lines(std::string_view text);  // but for the ends of lines

// Values from low to high become places from `from` to `to`, evenly or by their logarithms.
struct Scale {
  double low = 0, high = 1;
  double from = 0, to = 1;
  bool log = false;

  double at(double value) const;
  // Round values within [low, high]: about `most` of them, or the 1, 3, 10 ... of a logarithm.
  std::vector<double> ticks(int most = 6) const;
};
// From least to most (0 if with_zero), to round values on either side.
Scale scale_over(double least, double most, bool with_zero, double from, double to);

// "1,000", "0.5", "12": without needless digits.
std::string tick_text(double value);

constexpr int kColours = 7;
std::string_view colour_of(std::size_t series);  // repeats after kColours
std::string_view dash_of(std::size_t series);    // of a line; changes when colours repeat
// Dark blue over green to yellow (viridis), value in [0, 1].
std::string colour_between(double value);

// Of words, of lines behind the data, of axes, and of what is not known.
inline constexpr std::string_view kInk = "#222222", kGrid = "#dddddd", kAxis = "#444444",
                                  kUnknown = "#999999";

enum class Anchor { start, middle, end };

// A picture of its own is black on white. One that is part of a page takes its colours from the
// page's style, light or dark (variables --ink, --grid, --axis, --unknown, --s0 ...), fills the
// place that it is given, and leaves its background alone.
enum class Look { file, page };

class Svg {
 public:
  // The description is what a reader hears who cannot see it.
  Svg(double width, double height, std::string_view title, std::string_view description,
      Look look = Look::file);

  void line(double x1, double y1, double x2, double y2, std::string_view colour, double width = 1,
            std::string_view dash = "");
  void path(const std::vector<std::pair<double, double>>& points, std::string_view colour,
            std::string_view dash = "");
  void rectangle(double x, double y, double width, double height, std::string_view fill,
                 double opacity = 1);
  // Many equal round points at once.
  void points(const std::vector<std::pair<double, double>>& places, double radius,
              std::string_view colour, double opacity = 1);
  // Of a series: circle, square, triangle, diamond in turn.
  void marker(std::size_t shape, double x, double y, double radius, std::string_view fill,
              double opacity = 1);
  void text(double x, double y, std::string_view text, Anchor anchor = Anchor::start, int size = 12,
            bool upright = false, bool bold = false);
  std::string finish() const;

 private:
  std::string_view paint(std::string_view colour) const;

  std::string body_;
  Look look_;
};

}  // namespace twinage
