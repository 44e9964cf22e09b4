#include "tools/report/page.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "core/error.h"
#include "core/files.h"

using namespace twinage;
namespace fs = std::filesystem;

namespace {

bool has(const std::string& text, const std::string& what) {
  return text.find(what) != std::string::npos;
}

Report small_report() {
  Report report;
  report.title = "A <run>";
  report.summary = "reads \"well\"";
  report.made = "today";
  Section section{"first one", "First & one"};
  section.paragraphs = {"1 < 2"};
  section.tables = {{"Table", {"", "value"}, {{"a<b", "1"}}, 1}};
  section.figures = {
      {"c", "Curve", "n = 2", Curves{"", "", {"x"}, {"y"}, {{"l", {{0, 1}, {1, 2}}}}}}};
  PointMap map;
  map.classes = {{"all", "#440154", {{0, 0}, {1, 1}}}};
  section.figures.push_back({"m", "Map", "n = 2", map, {0, 1}});
  section.portraits = {{{"a.jpg", "34, read 41", 0, 1}, "about it", "nearest:", {{"b.jpg", "33"}}}};
  section.folded = "key = 1\nother = 2";
  section.folded_title = "All";
  report.sections = {section};
  report.sheets = {{48, 2, 3, {std::byte{'M'}, std::byte{'a'}, std::byte{'n'}}}};
  report.faces = {{"</script><b>", 0, 2}, {"two", -1, 0}};
  return report;
}

}  // namespace

TEST_CASE("a page is one file that asks for nothing from anywhere") {
  std::string page = to_page(small_report());
  CHECK(page.starts_with(kPageStart));
  // The name of SVG's elements looks like an address and is none.
  const std::string svg = "http://www.w3.org/2000/svg";
  while (has(page, svg)) page.erase(page.find(svg), svg.size());
  for (const char* asks : {"http:", "https:", "<link", "src=", "@import", "url(/"})
    CHECK_MESSAGE(!has(page, asks), asks);
  CHECK(has(page, "url(data:image/jpeg;base64,TWFu)"));
}

TEST_CASE("a face is a square of its sheet: columns side by side, the last row maybe not full") {
  const std::string page = to_page(small_report());  // 3 squares in 2 columns: the second of them
  CHECK(has(page, "background-size:200% 200%;background-position:100.0000% 0.0000%"));
}

TEST_CASE("what people wrote is text on the page, and no markup") {
  const std::string page = to_page(small_report());
  CHECK(has(page, "<h1>A &lt;run&gt;</h1>"));
  CHECK(has(page, "<p>1 &lt; 2</p>"));
  CHECK(has(page, "a&lt;b"));
  CHECK(has(page, "\\u003c/script>\\u003cb>"));
  CHECK_FALSE(has(page, "</script><b>"));
}

TEST_CASE("sections are linked, figures have their numbers, a configuration its lines") {
  const std::string page = to_page(small_report());
  CHECK(has(page, "<a href=\"#s-first-one\">First &amp; one</a>"));
  CHECK(has(page, "<h2 id=\"s-first-one\">"));
  CHECK(has(page, "<summary>The numbers</summary>"));
  CHECK(has(page, "key = 1\nother = 2"));
  CHECK(has(page, "data-points=\"[[8.0,8.0,0],[392.0,392.0,1]]\""));
  CHECK(has(page, "background-position:100.0000% 0.0000%"));  // the second of three, two a row
  CHECK(has(page, "aria-label=\"a.jpg\""));
}

TEST_CASE("base64 of one, two and three bytes ends as it has to") {
  Report report = small_report();
  const auto encoded = [&](std::vector<std::byte> bytes) {
    report.sheets[0].jpeg = std::move(bytes);
    const std::string page = to_page(report);
    const auto at = page.find("base64,") + 7;
    return page.substr(at, page.find(')', at) - at);
  };
  CHECK(encoded({std::byte{'M'}}) == "TQ==");
  CHECK(encoded({std::byte{'M'}, std::byte{'a'}}) == "TWE=");
  CHECK(encoded({std::byte{0xff}, std::byte{0xfe}, std::byte{0xfd}}) == "//79");
}

TEST_CASE("only a page that is served asks its server, and only with a token may it stop") {
  CHECK_FALSE(has(to_page(small_report()), "class=\"live\""));
  PageOptions options;
  options.refresh_url = "/main";
  CHECK(has(to_page(small_report(), options), "data-url=\"/main\""));
  CHECK_FALSE(has(to_page(small_report(), options), "<form"));
  options.stop_token = "abc";
  CHECK(has(to_page(small_report(), options), "name=\"token\" value=\"abc\""));
}

TEST_CASE("every number of a report is in its JSON, and no picture") {
  const auto json = to_json(small_report());
  CHECK(json["sections"][0]["figures"][0]["chart"]["lines"]["l"][1][1] == 2);
  CHECK(json["sections"][0]["tables"][0]["rows"][0][0] == "a<b");
  CHECK(json["sections"][0]["faces"][0]["face"]["text"] == "34, read 41");
  CHECK_FALSE(has(to_json_text(small_report()), "TWFu"));
}

TEST_CASE("a page replaces a page, and nobody's file") {
  const fs::path path = fs::temp_directory_path() / fmt::format("twinage_page_{}.html", ::getpid());
  require_page_writable(path, "report");
  write_file_atomically(path, to_page(small_report()));
  require_page_writable(path, "report");
  write_file_atomically(path, "my own page");
  CHECK_THROWS_AS(require_page_writable(path, "report"), UsageError);
  fs::remove(path);
  CHECK_THROWS_AS(require_page_writable("/nowhere/at/all.html", "report"), Error);
}

TEST_CASE("numbers of a figure: few as a table, many and maps not") {
  const Report report = small_report();
  const Table numbers = numbers_of(report.sections[0].figures[0]);
  REQUIRE(numbers.rows.size() == 2);
  CHECK(numbers.rows[1] == std::vector<std::string>{"1", "2"});
  CHECK(numbers_of(report.sections[0].figures[1]).rows.empty());
  Bars bars;
  bars.axis = "years";
  bars.groups = {{"0-9", {Estimate{2, 1, 3, "2.0"}}}};
  const Table table = numbers_of({"b", "Bars", "", bars});
  CHECK(table.rows[0] == std::vector<std::string>{"0-9", "2.0", "1 to 3"});
}
