#include "tools/report/page.h"

#include <algorithm>
#include <cmath>
#include <sstream>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/files.h"
#include "tools/charts/svg.h"
#include "tools/embedded.h"

namespace twinage {
namespace {

std::string base64(const std::vector<std::byte>& bytes) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const auto at = [&](std::size_t j) {
      return j < bytes.size() ? std::to_integer<unsigned>(bytes[j]) : 0U;
    };
    const unsigned three = at(i) << 16 | at(i + 1) << 8 | at(i + 2);
    for (std::size_t d = 0; d < 4; ++d)
      text += i + d < bytes.size() + 1 ? kDigits[three >> (18 - 6 * d) & 63] : '=';
  }
  return text;
}

// Of letters, digits and '-' alone, as an id has to be.
std::string id_of(std::string_view text) {
  std::string id = "s-";
  for (const char c : text) id += std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '-';
  return id;
}

// The square of a sheet as a background: the page has each sheet once.
std::string face_html(const Report& report, int sheet, std::size_t place, const std::string& name) {
  if (sheet < 0) return "";
  const Sheet& s = report.sheets[static_cast<std::size_t>(sheet)];
  const std::size_t rows = (s.count + s.columns - 1) / s.columns;
  const auto share = [](std::size_t i, std::size_t n) {
    return n > 1 ? 100 * static_cast<double>(i) / static_cast<double>(n - 1) : 0;
  };
  return fmt::format(
      "<div class=\"face sheet{}\" role=\"img\" aria-label=\"{}\" style=\"background-size:{}% {}%;"
      "background-position:{:.4f}% {:.4f}%\"></div>",
      sheet, xml_escaped(name), 100 * s.columns, 100 * rows, share(place % s.columns, s.columns),
      share(place / s.columns, rows));
}

std::string table_html(const Table& table) {
  std::string html = fmt::format(
      "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"{0}\"><table><caption>{0}"
      "</caption>\n<thead><tr>",
      xml_escaped(table.caption));
  for (const std::string& cell : table.head)
    html += fmt::format("<th scope=\"col\">{}</th>",
                        cell.empty() ? "<span class=\"skip\">figure</span>" : xml_escaped(cell));
  html += "</tr></thead>\n<tbody>\n";
  for (const auto& row : table.rows) {
    html += "<tr>";
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (i == 0 && table.words > 0)
        html += fmt::format("<th scope=\"row\">{}</th>", xml_escaped(row[i]));
      else
        html += fmt::format("<td{}>{}</td>", i < table.words ? "" : " class=\"number\"",
                            xml_escaped(row[i]));
    }
    html += "</tr>\n";
  }
  return html + "</tbody></table></div>\n";
}

std::string folded_html(const std::string& title, const std::string& content) {
  return fmt::format("<details><summary>{}</summary>{}</details>\n", xml_escaped(title), content);
}

// Where each face of a map is drawn, for the script.
std::string points_json(const Figure& figure, const PointMap& map) {
  const MapFrame frame(map);
  std::string json = "[";
  std::size_t i = 0;
  for (const auto& c : map.classes)
    for (const auto& place : c.places) {
      const auto [x, y] = frame.at(place);
      json +=
          fmt::format("{}[{:.1f},{:.1f},{}]", json.size() > 1 ? "," : "", x, y, figure.faces[i++]);
    }
  return json + "]";
}

std::string figure_html(const Figure& figure) {
  std::string html =
      fmt::format("<figure id=\"{}\">\n<h3>{}</h3>\n<figcaption>{}</figcaption>\n",
                  id_of(figure.id), xml_escaped(figure.title), xml_escaped(figure.caption));
  if (const auto* map = std::get_if<PointMap>(&figure.chart)) {
    std::string svg = to_svg(figure);
    svg.insert(4, " tabindex=\"0\"");
    html += fmt::format(
        "<div class=\"map\" data-points=\"{}\">{}<div class=\"tip\" role=\"status\" hidden></div>"
        "</div>\n",
        points_json(figure, *map), svg);
  } else {
    html += to_svg(figure);
  }
  const Table numbers = numbers_of(figure);
  if (!numbers.rows.empty()) html += folded_html("The numbers", table_html(numbers));
  return html + "</figure>\n";
}

std::string portrait_html(const Report& report, const Portrait& p, bool small) {
  return fmt::format("<div class=\"portrait{}\">{}{}<span class=\"name\">{}</span></div>\n",
                     small ? " small" : "", face_html(report, p.sheet, p.place, p.name),
                     xml_escaped(p.text), xml_escaped(p.name));
}

std::string portraits_html(const Report& report, const std::vector<PortraitRow>& rows) {
  if (rows.empty()) return "";
  std::string html = "<ul class=\"portraits\">\n";
  for (const PortraitRow& row : rows) {
    html += fmt::format("<li><p>{}</p><div class=\"row\">{}", xml_escaped(row.text),
                        portrait_html(report, row.face, false));
    if (!row.rest_title.empty())
      html += fmt::format("<p class=\"rest\">{}</p>\n", xml_escaped(row.rest_title));
    for (const Portrait& other : row.rest)
      html += portrait_html(report, other, !row.rest_title.empty());
    html += "</div></li>\n";
  }
  return html + "</ul>\n";
}

std::string section_html(const Report& report, const Section& section) {
  const std::string id = id_of(section.id);
  std::string html = fmt::format("<section aria-labelledby=\"{0}\">\n<h2 id=\"{0}\">{1}</h2>\n", id,
                                 xml_escaped(section.title));
  for (const std::string& text : section.paragraphs)
    html += fmt::format("<p>{}</p>\n", xml_escaped(text));
  for (const Table& table : section.tables) html += table_html(table);
  if (!section.figures.empty()) {
    html += "<div class=\"figures\">\n";
    for (const Figure& figure : section.figures) html += figure_html(figure);
    html += "</div>\n";
  }
  html += portraits_html(report, section.portraits);
  if (!section.strip.empty()) {
    html += "<div class=\"row\">\n";
    for (const Portrait& p : section.strip) html += portrait_html(report, p, true);
    html += "</div>\n";
  }
  if (!section.folded.empty())
    html += folded_html(section.folded_title, fmt::format("<pre tabindex=\"0\">{}</pre>",
                                                          xml_escaped_lines(section.folded)));
  return html + "</section>\n";
}

// What the script shows of a point: its words, and where its picture is.
std::string faces_json(const Report& report) {
  auto faces = nlohmann::json::array(), sheets = nlohmann::json::array();
  for (const MapFace& face : report.faces) faces.push_back({face.text, face.sheet, face.place});
  for (const Sheet& sheet : report.sheets)
    sheets.push_back({{"columns", sheet.columns}, {"count", sheet.count}});
  std::string text = nlohmann::json{{"faces", faces}, {"sheets", sheets}}.dump(
      -1, ' ', false, nlohmann::json::error_handler_t::replace);
  // A "</script>" in a file's name must not end the script.
  for (auto at = text.find('<'); at != std::string::npos; at = text.find('<', at + 6))
    text.replace(at, 1, "\\u003c");
  return text;
}

std::string sheet_styles(const Report& report) {
  std::string css;
  for (std::size_t i = 0; i < report.sheets.size(); ++i)
    css += fmt::format(".sheet{}{{background-image:url(data:image/jpeg;base64,{})}}\n", i,
                       base64(report.sheets[i].jpeg));
  return css;
}

std::string live_html(const PageOptions& options) {
  if (options.refresh_url.empty()) return "";
  std::string html = fmt::format(
      "<div class=\"live\" data-url=\"{}\" data-seconds=\"{}\"><span role=\"status\">live</span>\n",
      xml_escaped(options.refresh_url), options.refresh_seconds);
  if (!options.stop_token.empty())
    html += fmt::format(
        "<form method=\"post\" action=\"/stop\"><input type=\"hidden\" name=\"token\" value=\"{}\">"
        "<button>Stop the training</button></form>\n",
        xml_escaped(options.stop_token));
  return html + "</div>\n";
}

}  // namespace

void require_page_writable(const std::string& path, std::string_view command) {
  const std::string there = beginning_of(path, kPageStart.size());
  if (!there.empty() && there != kPageStart)
    throw UsageError(fmt::format(
        "[{}] {} would be overwritten, and twinage did not write it: choose another name", command,
        path));
  require_writable(path);
}

std::string to_main(const Report& report) {
  std::string html = fmt::format("<h1>{}</h1>\n", xml_escaped(report.title));
  std::istringstream summary(report.summary);
  for (std::string line; std::getline(summary, line);)
    html += fmt::format("<p class=\"summary\">{}</p>\n", xml_escaped(line));
  for (const std::string& warning : report.warnings)
    html += fmt::format("<p class=\"warning\">{}</p>\n", xml_escaped(warning));
  html += "<nav aria-label=\"Sections\"><ul>\n";
  for (const Section& section : report.sections)
    html += fmt::format("<li><a href=\"#{}\">{}</a></li>\n", id_of(section.id),
                        xml_escaped(section.title));
  html += "</ul></nav>\n";
  for (const Section& section : report.sections) html += section_html(report, section);
  return html;
}

std::string to_page(const Report& report, const PageOptions& options) {
  std::string html = fmt::format(
      "{}\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta name=\"generator\" content=\"twinage "
      "report\">\n<title>{}</title>\n<style>\n{}{}</style>\n"
      "</head>\n<body>\n<a class=\"skip\" href=\"#main\">To the report</a>\n",
      kPageStart, xml_escaped(report.title), kReportStyle, sheet_styles(report));
  html += live_html(options);
  html += "<main id=\"main\">\n" + to_main(report) + "</main>\n";
  html += fmt::format("<footer><p>{}</p></footer>\n", xml_escaped(report.made));
  html += fmt::format("<script type=\"application/json\" id=\"faces\">{}</script>\n",
                      faces_json(report));
  html += fmt::format("<script>\n{}</script>\n</body>\n</html>\n", kReportScript);
  return html;
}

}  // namespace twinage
