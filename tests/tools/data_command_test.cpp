#include "tools/data_command.h"

#include <algorithm>
#include <sstream>

#include <doctest/doctest.h>

#include "core/error.h"
#include "tools/commands.h"
#include "train/faces/formats/format.h"

using namespace twinage;

namespace {

FaceDataset some_faces() {
  FaceDataset dataset;
  dataset.format = "manifest";
  dataset.faces = {{"a", 0, 0, 2, "ann"},
                   {"b", 9.5F, 1, -1, "bo"},
                   {"c", 35, 1, 4, "ann"},
                   {"d", 120, -1, 5, ""}};
  dataset.race_names.push_back("Latino_Hispanic");
  dataset.unknown_genders = {{"nan", 1}};
  dataset.copies = {{{"b", "b2"}, {9, 10}, {1, 1}, 1, false},
                    {{"q", "q\x1b[2J", "q3"}, {9, 30, 9}, {1, 0, -1}, 2, true},
                    {{"c", "c2"}, {35, 35}, {1, 1}, 3, false}};
  dataset.skipped = {{"x\x1b[2J", "too old"}, {"y", "too young"}, {"z", "too old"}};
  return dataset;
}

}  // namespace

TEST_CASE("the summary counts ages, labels, people and reasons") {
  const nlohmann::ordered_json json = data_as_json(some_faces());
  CHECK(json["faces"] == 4);
  CHECK(json["lacks"].empty());
  CHECK(json["age"]["mean"].get<double>() == doctest::Approx(41.125));
  CHECK(json["age"]["min"] == 0);
  CHECK(json["age"]["max"] == 120);
  CHECK(json["age"]["decades"]["0-9"] == 2);
  CHECK(json["age"]["decades"]["10-19"] == 0);
  CHECK(json["age"]["decades"]["120-129"] == 1);
  CHECK(json["gender"] == nlohmann::ordered_json{{"male", 1}, {"female", 2}, {"unknown", 1}});
  CHECK(json["race"]["Other"] == 1);
  CHECK(json["race"]["Latino_Hispanic"] == 1);
  CHECK(json["race"]["unknown"] == 1);
  CHECK(json["gender_words_unknown"]["nan"] == 1);
  CHECK(json["copies"]["groups"] == 3);
  CHECK(json["copies"]["faces_fewer"] == 4);
  CHECK(json["copies"]["ages_differ"] == 2);
  CHECK(json["copies"]["genders_differ"] == 1);
  CHECK(json["copies"]["left_out"] == 1);
  REQUIRE(json["copies"]["conflicts"].size() == 2);
  CHECK(json["copies"]["conflicts"][1]["paths"][2] == "q3");
  CHECK(json["copies"]["conflicts"][1]["ages"][1] == 30);
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
  CHECK(text.find("age 30, male: q?[2J") != std::string::npos);
  CHECK(text.find("Latino_Hispanic") != std::string::npos);
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

TEST_CASE("the list of layouts fits into 80 columns and has them all") {
  const std::string text = formats_as_text();
  for (const FaceFormat& format : face_formats()) {
    CHECK(text.find(fmt::format("{}\n  layout   ", format.name)) != std::string::npos);
    CHECK(text.find(format.genders) != std::string::npos);
  }
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) CHECK_MESSAGE(line.size() <= 80, line);
}

TEST_CASE("errors of the data reach the caller of the command line") {
  CLI::App app;
  add_data_command(app);
  CHECK_THROWS_AS(app.parse("data /no/such/folder"), Error);
  CHECK_THROWS_AS(app.parse("data"), CLI::ParseError);
  CHECK_THROWS_AS(app.parse("data /no/such/folder --format nosuch"), CLI::ParseError);
}

TEST_CASE("what a set lacks stands beside its format") {
  FaceDataset dataset = some_faces();
  for (Face& face : dataset.faces) {
    face.gender = -1;
    face.subject.clear();
  }
  CHECK(data_as_json(dataset)["lacks"] == nlohmann::ordered_json{"genders", "persons"});
  CHECK(data_as_text(dataset).find("format manifest, without genders or persons\n") !=
        std::string::npos);
}
