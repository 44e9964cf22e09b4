#include "tools/data_command.h"

#include <algorithm>
#include <sstream>

#include <doctest/doctest.h>

#include "core/error.h"
#include "tools/commands.h"

using namespace twinage;

namespace {

FaceDataset some_faces() {
  FaceDataset dataset;
  dataset.format = "manifest";
  dataset.faces = {{"a", 0, 0, 2, "ann"},
                   {"b", 9.5F, 1, -1, "bo"},
                   {"c", 35, 1, 4, "ann"},
                   {"d", 120, -1, -1, ""}};
  dataset.skipped = {{"x\x1b[2J", "too old"}, {"y", "too young"}, {"z", "too old"}};
  return dataset;
}

}  // namespace

TEST_CASE("the summary counts ages, labels, people and reasons") {
  const nlohmann::ordered_json json = data_as_json(some_faces());
  CHECK(json["faces"] == 4);
  CHECK(json["age"]["mean"].get<double>() == doctest::Approx(41.125));
  CHECK(json["age"]["min"] == 0);
  CHECK(json["age"]["max"] == 120);
  CHECK(json["age"]["decades"]["0-9"] == 2);
  CHECK(json["age"]["decades"]["10-19"] == 0);
  CHECK(json["age"]["decades"]["120-129"] == 1);
  CHECK(json["gender"] == nlohmann::ordered_json{{"male", 1}, {"female", 2}, {"unknown", 1}});
  CHECK(json["race"]["Other"] == 1);
  CHECK(json["race"]["unknown"] == 2);
  CHECK(json["subjects"] == 2);
  CHECK(json["skipped"] == 3);
  REQUIRE(json["skipped_reasons"].size() == 2);
  CHECK(json["skipped_reasons"][0]["reason"] == "too old");
  CHECK(json["skipped_reasons"][0]["count"] == 2);
}

TEST_CASE("the text fits into 80 columns and holds no control characters") {
  FaceDataset dataset = some_faces();
  for (int i = 0; i < 30000; ++i) dataset.faces.push_back({"e", 25, 0, 0, ""});
  const std::string text = data_as_text(dataset);
  CHECK(text.find("30004 faces, 3 skipped") != std::string::npos);
  CHECK(text.find('\x1b') == std::string::npos);
  std::istringstream lines(text);
  std::size_t longest = 0;
  for (std::string line; std::getline(lines, line);) {
    CAPTURE(line);
    CHECK(line.size() <= 80);
    longest = std::max(longest, line.size());
  }
  CHECK(longest > 70);
}

TEST_CASE("errors of the data reach the caller of the command line") {
  CLI::App app;
  add_data_command(app);
  CHECK_THROWS_AS(app.parse("data /no/such/folder"), Error);
  CHECK_THROWS_AS(app.parse("data"), CLI::ParseError);
}
