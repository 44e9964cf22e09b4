#include "tools/charts/svg.h"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace twinage {
namespace {

constexpr std::array<std::string_view, kColours> kPalette{
    "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000"};
constexpr std::array<std::string_view, 3> kDashes{"", "6 3", "2 3"};
constexpr int kViridis[][3] = {
    {68, 1, 84}, {59, 82, 139}, {33, 145, 140}, {94, 201, 98}, {253, 231, 37}};

// 1, 2 or 5 times a power of ten: the least that is not below `step`.
double round_step(double step) {
  const double power = std::pow(10, std::floor(std::log10(step)));
  for (const double factor : {1.0, 2.0, 5.0})
    if (factor * power >= step * (1 - 1e-9)) return factor * power;
  return 10 * power;
}

std::string opacity_text(double opacity) {
  return opacity < 1 ? fmt::format(" fill-opacity=\"{}\"", opacity) : "";
}

std::string_view name_of(Anchor anchor) {
  switch (anchor) {
    case Anchor::start:
      return "start";
    case Anchor::middle:
      return "middle";
    case Anchor::end:
      return "end";
  }
  return "start";
}

}  // namespace

std::string xml_escaped(std::string_view text) {
  std::string escaped = xml_escaped_lines(text);
  std::ranges::replace(escaped, '\n', ' ');
  return escaped;
}

namespace {

// Names of files may be any bytes; what is no UTF-8 becomes U+FFFD.
std::string as_utf8(std::string_view text) {
  if (std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; }))
    return std::string(text);
  using nlohmann::json;
  return json::parse(json(text).dump(-1, ' ', false, json::error_handler_t::replace))
      .get<std::string>();
}

}  // namespace

std::string xml_escaped_lines(std::string_view text) {
  std::string escaped;
  for (const char c : as_utf8(text)) {
    switch (c) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      default:  // XML knows no control characters
        escaped += static_cast<unsigned char>(c) < 0x20 && c != '\n' ? ' ' : c;
    }
  }
  return escaped;
}

double Scale::at(double value) const {
  const double share =
      log ? std::log(value / low) / std::log(high / low) : (value - low) / (high - low);
  return from + share * (to - from);
}

std::vector<double> Scale::ticks(int most) const {
  std::vector<double> values;
  if (log) {
    for (double power = std::pow(10, std::floor(std::log10(low))); power <= high; power *= 10)
      for (const double factor : {1.0, 3.0})
        if (factor * power >= low * (1 - 1e-9) && factor * power <= high * (1 + 1e-9))
          values.push_back(factor * power);
    return values;
  }
  const double step = round_step((high - low) / most);
  for (double i = std::ceil(low / step - 1e-9); i * step <= high + 1e-9 * step; ++i)
    values.push_back(i == 0 ? 0 : i * step);
  return values;
}

Scale scale_over(double least, double most, bool with_zero, double from, double to) {
  if (with_zero) least = std::min(least, 0.0), most = std::max(most, 0.0);
  if (!(most > least)) most = least + std::max(1.0, std::fabs(least));
  const double step = round_step((most - least) / 6);
  return {std::floor(least / step + 1e-9) * step, std::ceil(most / step - 1e-9) * step, from, to,
          false};
}

std::string tick_text(double value) {
  std::string digits = fmt::format("{:.7g}", std::fabs(value));
  if (const std::size_t plus = digits.find('+'); plus != std::string::npos) digits.erase(plus, 1);
  if (digits.find_first_of(".e") == std::string::npos)
    for (auto i = static_cast<std::ptrdiff_t>(digits.size()) - 3; i > 0; i -= 3)
      digits.insert(static_cast<std::size_t>(i), 1, ',');
  return fmt::format("{}{}", value < 0 ? "−" : "", digits);
}

std::string_view colour_of(std::size_t series) {
  return kPalette[series % kPalette.size()];
}
std::string_view dash_of(std::size_t series) {
  return kDashes[series / kPalette.size() % kDashes.size()];
}

std::string colour_between(double value) {
  constexpr int kLast = static_cast<int>(std::size(kViridis)) - 1;
  const double place = std::clamp(value, 0.0, 1.0) * kLast;
  const int stop = std::min(static_cast<int>(place), kLast - 1);
  std::string colour = "#";
  for (int c = 0; c < 3; ++c)
    colour += fmt::format(
        "{:02x}",
        static_cast<int>(std::lround(
            kViridis[stop][c] + (place - stop) * (kViridis[stop + 1][c] - kViridis[stop][c]))));
  return colour;
}

Svg::Svg(double width, double height, std::string_view title, std::string_view description,
         Look look)
    : look_(look) {
  if (look == Look::page)
    body_ = fmt::format(
        "<svg viewBox=\"0 0 {0} {1}\" role=\"img\"><title>{2}</title><desc>{3}</desc>\n", width,
        height, xml_escaped(title), xml_escaped(description));
  else
    body_ = fmt::format(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0} {1}\" width=\"{0}\" "
        "height=\"{1}\" role=\"img\" font-family=\"sans-serif\">\n<title>{2}</title>\n"
        "<desc>{3}</desc>\n<rect width=\"{0}\" height=\"{1}\" fill=\"#ffffff\"/>\n",
        width, height, xml_escaped(title), xml_escaped(description));
}

// In a page a colour that has a meaning is the page's; others, as those of a scale, stay.
std::string_view Svg::paint(std::string_view colour) const {
  using Entry = std::pair<std::string_view, std::string_view>;
  static constexpr Entry kNames[] = {
      {kInk, "var(--ink)"},         {kGrid, "var(--grid)"},     {kAxis, "var(--axis)"},
      {kUnknown, "var(--unknown)"}, {kPalette[0], "var(--s0)"}, {kPalette[1], "var(--s1)"},
      {kPalette[2], "var(--s2)"},   {kPalette[3], "var(--s3)"}, {kPalette[4], "var(--s4)"},
      {kPalette[5], "var(--s5)"},   {kPalette[6], "var(--s6)"}};
  if (look_ == Look::page)
    for (const auto& [hex, name] : kNames)
      if (hex == colour) return name;
  return colour;
}

void Svg::line(double x1, double y1, double x2, double y2, std::string_view colour, double width,
               std::string_view dash) {
  body_ += fmt::format(
      "<line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\" stroke=\"{}\" "
      "stroke-width=\"{}\"{}/>\n",
      x1, y1, x2, y2, paint(colour), width,
      dash.empty() ? "" : fmt::format(" stroke-dasharray=\"{}\"", dash));
}

void Svg::path(const std::vector<std::pair<double, double>>& points, std::string_view colour,
               std::string_view dash) {
  if (points.empty()) return;
  std::string places;
  for (const auto& [x, y] : points)
    places += fmt::format("{}{:.1f},{:.1f}", places.empty() ? "" : " ", x, y);
  body_ += fmt::format(
      "<polyline points=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"2\"{}/>\n", places,
      paint(colour), dash.empty() ? "" : fmt::format(" stroke-dasharray=\"{}\"", dash));
}

void Svg::rectangle(double x, double y, double width, double height, std::string_view fill,
                    double opacity) {
  body_ += fmt::format(
      "<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" fill=\"{}\"{}/>\n", x, y,
      width, height, paint(fill), opacity_text(opacity));
}

// A stroke of no length with round ends is a disc, and costs a fifth of a circle's text.
void Svg::points(const std::vector<std::pair<double, double>>& places, double radius,
                 std::string_view colour, double opacity) {
  if (places.empty()) return;
  body_ += fmt::format(
      "<g stroke=\"{}\" stroke-width=\"{}\" stroke-linecap=\"round\" fill=\"none\"{}><path d=\"",
      paint(colour), 2 * radius, opacity < 1 ? fmt::format(" opacity=\"{}\"", opacity) : "");
  for (const auto& [x, y] : places) body_ += fmt::format("M{:.1f} {:.1f}h0", x, y);
  body_ += "\"/></g>\n";
}

void Svg::marker(std::size_t shape, double x, double y, double r, std::string_view fill,
                 double opacity) {
  const std::string end = opacity_text(opacity) + "/>\n";
  fill = paint(fill);
  switch (shape % 4) {
    case 0:
      body_ += fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{}\" fill=\"{}\"{}", x, y, r,
                           fill, end);
      return;
    case 1:
      body_ += fmt::format(
          "<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" fill=\"{}\"{}", x - r,
          y - r, 2 * r, 2 * r, fill, end);
      return;
    case 2:
      body_ +=
          fmt::format("<polygon points=\"{:.1f},{:.1f} {:.1f},{:.1f} {:.1f},{:.1f}\" fill=\"{}\"{}",
                      x, y - 1.3 * r, x + 1.2 * r, y + r, x - 1.2 * r, y + r, fill, end);
      return;
    default:
      body_ += fmt::format(
          "<polygon points=\"{:.1f},{:.1f} {:.1f},{:.1f} {:.1f},{:.1f} {:.1f},{:.1f}\" "
          "fill=\"{}\"{}",
          x, y - 1.4 * r, x + 1.4 * r, y, x, y + 1.4 * r, x - 1.4 * r, y, fill, end);
  }
}

void Svg::text(double x, double y, std::string_view text, Anchor anchor, int size, bool upright,
               bool bold) {
  body_ += fmt::format(
      "<text x=\"{0:.1f}\" y=\"{1:.1f}\" font-size=\"{2}\" text-anchor=\"{3}\" "
      "fill=\"{7}\"{4}{5}>{6}</text>\n",
      x, y, size, name_of(anchor),
      upright ? fmt::format(" transform=\"rotate(-90 {:.1f} {:.1f})\"", x, y) : "",
      bold ? " font-weight=\"bold\"" : "", xml_escaped(text), paint(kInk));
}

std::string Svg::finish() const {
  return body_ + "</svg>\n";
}

}  // namespace twinage
