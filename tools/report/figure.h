// A report as data: sections of figures, tables and faces. What fills them in knows no HTML; what
// writes them, as a page or as JSON, knows nothing of faces.
#pragma once
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "tools/charts/page_charts.h"

namespace twinage {

using Chart = std::variant<Curves, Bars, Density, Columns, PointMap>;

struct Figure {
  std::string id;       // of this figure alone, of letters, digits and '-'
  std::string title;    // says what is seen; the chart's own title is set to it
  std::string caption;  // of which faces, how many
  Chart chart;
  // Of a PointMap: which face of Report::faces each point is, in the classes' order.
  std::vector<std::size_t> faces = {};
};

struct Table {
  std::string caption;
  std::vector<std::string> head;
  std::vector<std::vector<std::string>> rows;
  std::size_t words = 1;  // so many columns, the first, are words; the others are numbers
};

// A face of a row, drawn from a sheet of pictures if it has one there.
struct Portrait {
  std::string name;       // of the file
  std::string text;       // "34 years, read 41": what stands below it
  int sheet = -1;         // of Report::sheets; -1: no picture
  std::size_t place = 0;  // on it
};
struct PortraitRow {
  Portrait face;
  std::string text;  // about it
  std::string rest_title;
  std::vector<Portrait> rest;  // what it is compared with
};

struct Section {
  std::string id, title;
  std::vector<std::string> paragraphs = {};
  std::vector<Table> tables = {};
  std::vector<Figure> figures = {};
  std::vector<PortraitRow> portraits = {};
  std::vector<Portrait> strip = {};  // many faces, side by side
  std::string folded = {};           // text that is shown when asked for: a configuration
  std::string folded_title = {};
};

// Equal squares side by side in one JPEG, row by row.
struct Sheet {
  std::size_t side = 0, columns = 0, count = 0;  // pixels; squares a row; squares
  std::vector<std::byte> jpeg;
};

// A face that the page shows when its point is pointed at.
struct MapFace {
  std::string text;
  int sheet = -1;
  std::size_t place = 0;
};

struct Report {
  std::string title;    // what it is about
  std::string summary;  // how good it is: a line for each run
  std::vector<std::string> warnings;
  std::vector<Section> sections;
  std::vector<Sheet> sheets;
  std::vector<MapFace> faces;
  std::string made;  // when, by which commit
};

// Every number behind every figure and table. Pictures are left out.
nlohmann::ordered_json to_json(const Report& report);
std::string to_json_text(const Report& report);
nlohmann::ordered_json to_json(const Chart& chart);
// The numbers of a chart as a table, for those who cannot see it; without rows where they are too
// many to be read (Density, PointMap, long Curves).
Table numbers_of(const Figure& figure);
std::string to_svg(const Figure& figure);

}  // namespace twinage
