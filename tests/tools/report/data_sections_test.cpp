#include "tools/report/data_sections.h"

#include <doctest/doctest.h>

#include "tests/support/temporary_folder.h"
#include "train/faces/pictures/image.h"

using namespace twinage;

namespace {

Image plain(Index width, Index height) {
  return {width, height, std::vector<std::uint8_t>(static_cast<std::size_t>(width * height * 3))};
}

FaceDataset faces_in(const test::TemporaryFolder& folder) {
  FaceDataset dataset;
  const auto add = [&](const std::string& name, Index width, Index height, float age, int gender) {
    write_png(folder / name, plain(width, height));
    dataset.faces.push_back({(folder / name).string(), age, gender, -1, ""});
  };
  add("a.png", 20, 30, 4, 0);
  add("b.png", 30, 20, 33, 1);
  add("c.png", 64, 64, 34, -1);
  add("d.png", 64, 64, 99, 1);
  dataset.faces.push_back({(folder / "gone.png").string(), 50, 1, -1, ""});
  dataset.skipped = {{"x.jpg", "no picture"}, {"y.jpg", "no age"}, {"z.jpg", "no picture"}};
  dataset.copies = {{{"p/a.jpg", "p/b.jpg"}, {20, 60}, {0, 0}, 1, true},
                    {{"p/c.jpg", "p/d.jpg"}, {20, 20}, {0, 0}, 2, false}};
  return dataset;
}

const Figure& figure(const Section& section, const std::string& id) {
  for (const Figure& f : section.figures)
    if (f.id == id) return f;
  FAIL("no figure ", id);
  throw 0;
}

}  // namespace

TEST_CASE("a data set's page: ages by gender, sizes, conflicts, what was left out, and contacts") {
  const test::TemporaryFolder folder;
  const Report report = data_report(faces_in(folder), "here", true, 2);
  CHECK(report.summary ==
        "5 faces, 4 to 99 years old; 3 files left out, 2 pictures there more than once.");
  REQUIRE(report.sections.size() == 2);
  const Section& data = report.sections[0];

  const auto& ages = std::get<Columns>(figure(data, "ages-gender").chart);
  CHECK(ages.series == std::vector<std::string>{"male", "female", "unknown"});
  REQUIRE(ages.heights.size() == 20);  // of five years each
  CHECK(ages.heights[0] == std::vector<double>{1, 0, 0});
  CHECK(ages.heights[6] == std::vector<double>{0, 1, 1});
  CHECK(ages.heights[19] == std::vector<double>{0, 1, 0});
  // A label that no face has is no line of the legend.
  FaceDataset boys = faces_in(folder);
  for (Face& face : boys.faces) face.gender = 0;
  const Section of_boys = data_section(boys, "here");
  const auto& only = std::get<Columns>(figure(of_boys, "ages-gender").chart);
  CHECK(only.series == std::vector<std::string>{"male"});
  CHECK(only.heights[6] == std::vector<double>{2});

  // The picture that is gone has none.
  CHECK(figure(data, "sizes").caption == "4 pictures.");
  const auto& sizes = std::get<Columns>(figure(data, "sizes").chart);
  CHECK(sizes.width == 10);
  REQUIRE(sizes.heights.size() == 7);
  CHECK(sizes.heights[2][0] == 2);  // by the shorter side
  CHECK(sizes.heights[6][0] == 2);

  REQUIRE(data.tables.size() == 3);
  CHECK(data.tables[0].rows ==
        std::vector<std::vector<std::string>>{{"a.jpg, b.jpg", "20, 60", "all left out"}});
  CHECK(data.tables[1].rows == std::vector<std::vector<std::string>>{{"no picture", "x.jpg", "2"},
                                                                     {"no age", "y.jpg", "1"}});
  CHECK(data.tables[2].rows == std::vector<std::vector<std::string>>{
                                   {"64 x 64", "2"}, {"20 x 30", "1"}, {"30 x 20", "1"}});

  const Section& contacts = report.sections[1];
  REQUIRE(contacts.strip.size() == 5);
  CHECK(contacts.strip[0].text == "4, male");
  CHECK(contacts.strip[0].sheet == 0);
  CHECK(contacts.strip[3].name == "gone.png");
  CHECK(contacts.strip[3].sheet == -1);
  CHECK(report.sheets[0].count == 4);
}

TEST_CASE("without pictures, and of no faces at all, there is a page, too") {
  const test::TemporaryFolder folder;
  CHECK(data_report(faces_in(folder), "here", false, 1).sheets.empty());
  const Report none = data_report(FaceDataset(), "here", true, 1);
  CHECK(none.summary == "no face that can be used.");
  CHECK(none.sections[0].figures.empty());
}

TEST_CASE("large pictures get wider columns, not more of them") {
  const test::TemporaryFolder folder;
  FaceDataset dataset;
  write_png(folder / "a.png", plain(1200, 999));
  dataset.faces.push_back({(folder / "a.png").string(), 20, 0, -1, ""});
  const Report report = data_report(dataset, "here", false, 1);
  const auto& sizes = std::get<Columns>(figure(report.sections[0], "sizes").chart);
  CHECK(sizes.width == 25);
  CHECK(sizes.heights.size() == 40);
  CHECK(sizes.heights.back()[0] == 1);
}
