#include "tools/report/figure.h"

#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace twinage {
namespace {

using Json = nlohmann::ordered_json;

template <class... F>
struct Overloaded : F... {
  using F::operator()...;
};

Json number(double value) {
  return std::isfinite(value) ? Json(value) : Json();
}

Json points_json(const Points& points) {
  Json list = Json::array();
  for (const auto& [x, y] : points) list.push_back({number(x), number(y)});
  return list;
}

Json json_of(const Curves& chart) {
  Json lines = Json::object();
  for (const auto& line : chart.lines) lines[line.name] = points_json(line.points);
  return {{"kind", "curves"}, {"x", chart.x.title}, {"y", chart.y.title}, {"lines", lines}};
}

Json json_of(const Bars& chart) {
  Json groups = Json::array();
  for (const auto& group : chart.groups) {
    Json values = Json::array();
    for (const auto& e : group.values) {
      if (!e) {
        values.push_back(nullptr);
        continue;
      }
      values.push_back({{"value", number(e->value)},
                        {"low", number(e->low)},
                        {"high", number(e->high)},
                        {"text", e->text},
                        {"few_faces", e->few}});
    }
    groups.push_back({{"name", group.name}, {"values", values}});
  }
  return {{"kind", "bars"}, {"axis", chart.axis}, {"series", chart.series}, {"groups", groups}};
}

Json json_of(const Density& chart) {
  return {{"kind", "density"},
          {"x", chart.x_axis},
          {"y", chart.y_axis},
          {"cell", chart.cell},
          {"counts", chart.counts}};
}

Json json_of(const Columns& chart) {
  return {{"kind", "columns"},       {"x", chart.x_axis},    {"y", chart.y_axis},
          {"series", chart.series},  {"first", chart.first}, {"width", chart.width},
          {"heights", chart.heights}};
}

Json json_of(const PointMap& chart) {
  Json classes = Json::object();
  for (const auto& c : chart.classes) classes[c.name] = points_json(c.places);
  return {{"kind", "map"}, {"classes", classes}};
}

Json json_of(const Table& table) {
  return {{"caption", table.caption}, {"head", table.head}, {"rows", table.rows}};
}

Json json_of(const Portrait& portrait) {
  return {{"name", portrait.name}, {"text", portrait.text}};
}

std::string short_text(double value) {
  return std::isfinite(value) ? fmt::format("{:.4g}", value) : "–";
}

Table rows_of(const Curves& chart) {
  constexpr std::size_t kMost = 24;
  Table table{"", {chart.x.title}, {}, 0};
  std::vector<double> xs;
  for (const auto& line : chart.lines) {
    table.head.push_back(line.name);
    if (line.points.size() > kMost) return {};
    for (const auto& [x, y] : line.points)
      if (std::ranges::find(xs, x) == xs.end()) xs.push_back(x);
  }
  std::ranges::sort(xs);
  for (const double x : xs) {
    std::vector<std::string> row{short_text(x)};
    for (const auto& line : chart.lines) {
      const auto at = std::ranges::find(line.points, x, &std::pair<double, double>::first);
      row.push_back(at == line.points.end() ? "" : short_text(at->second));
    }
    table.rows.push_back(std::move(row));
  }
  return table;
}

Table rows_of(const Bars& chart) {
  Table table{"", {""}, {}, 1};
  const bool one = chart.series.size() <= 1;
  for (std::size_t s = 0; s < std::max<std::size_t>(1, chart.series.size()); ++s) {
    table.head.push_back(one ? chart.axis : chart.series[s]);
    table.head.emplace_back("95 % interval");
  }
  for (const auto& group : chart.groups) {
    std::vector<std::string> row{group.name};
    for (const auto& e : group.values) {
      row.push_back(e ? e->text : "");
      row.push_back(e ? fmt::format("{} to {}", short_text(e->low), short_text(e->high)) : "");
    }
    table.rows.push_back(std::move(row));
  }
  return table;
}

Table rows_of(const Columns& chart) {
  Table table{"", {chart.x_axis}, {}, 0};
  table.head.insert(table.head.end(), chart.series.begin(), chart.series.end());
  for (std::size_t i = 0; i < chart.heights.size(); ++i) {
    std::vector<std::string> row{
        fmt::format("from {:g}", chart.first + chart.width * static_cast<double>(i))};
    for (const double height : chart.heights[i]) row.push_back(short_text(height));
    table.rows.push_back(std::move(row));
  }
  return table;
}

}  // namespace

Json to_json(const Chart& chart) {
  return std::visit([](const auto& c) { return json_of(c); }, chart);
}

Json to_json(const Report& report) {
  Json sections = Json::array();
  for (const Section& section : report.sections) {
    Json figures = Json::array(), tables = Json::array(), faces = Json::array();
    for (const Figure& f : section.figures)
      figures.push_back(
          {{"id", f.id}, {"title", f.title}, {"caption", f.caption}, {"chart", to_json(f.chart)}});
    for (const Table& table : section.tables) tables.push_back(json_of(table));
    for (const Portrait& p : section.strip) faces.push_back(json_of(p));
    for (const PortraitRow& row : section.portraits) {
      Json rest = Json::array();
      for (const Portrait& other : row.rest) rest.push_back(json_of(other));
      faces.push_back({{"face", json_of(row.face)},
                       {"text", row.text},
                       {"compared_with", row.rest_title},
                       {"others", rest}});
    }
    sections.push_back({{"id", section.id},
                        {"title", section.title},
                        {"paragraphs", section.paragraphs},
                        {"tables", tables},
                        {"figures", figures},
                        {"faces", faces}});
  }
  return {{"title", report.title},
          {"summary", report.summary},
          {"warnings", report.warnings},
          {"made", report.made},
          {"sections", sections}};
}

std::string to_json_text(const Report& report) {
  return to_json(report).dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Table numbers_of(const Figure& figure) {
  Table table = std::visit(
      Overloaded{[](const Density&) { return Table{}; }, [](const PointMap&) { return Table{}; },
                 [](const auto& chart) { return rows_of(chart); }},
      figure.chart);
  table.caption = figure.title;
  return table;
}

std::string to_svg(const Figure& figure) {
  return std::visit(
      [&](auto chart) {
        chart.title = figure.title;
        if (chart.what.empty()) chart.what = figure.caption;
        return to_svg(chart);
      },
      figure.chart);
}

}  // namespace twinage
