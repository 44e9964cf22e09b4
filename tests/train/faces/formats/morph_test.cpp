#include "train/faces/formats/morph.h"

#include "tests/train/faces/formats/laid_out.h"
#include "train/faces/copies.h"
#include "train/faces/face_store.h"

using namespace twinage;
using namespace twinage::test;

namespace {

constexpr std::string_view kHeader =
    "id_num,picture_num,dob,doa,race,gender,facial_hair,age,age_diff,glasses,photo\n";

std::string row(std::string_view id, std::string_view race, std::string_view gender,
                std::string_view age, std::string_view photo) {
  return fmt::format("{},1,01/17/1950,05/23/2004,{},{},NULL,{},0,NULL,{}\n", id, race, gender, age,
                     photo);
}

}  // namespace

TEST_CASE("MORPH's names give person, gender and age") {
  Face face;
  CHECK_FALSE(read_morph_name(face, "009055_1M54.JPG").has_value());
  CHECK(face.subject == "9055");
  CHECK(face.gender == 0);
  CHECK(face.age == 54);
  CHECK(face.race == -1);
  CHECK_FALSE(read_morph_name(face, "000000_12f16.jpg").has_value());
  CHECK(face.subject == "0");
  CHECK(face.gender == 1);
  CHECK(face.age == 16);
  for (const char* name : {"009055_M54.JPG", "009055_1X54.JPG", "009055_1M.JPG", "009055_1M54b.JPG",
                           "9055.JPG", "_1M54.JPG", "a_1M54.JPG", "30_0_1_2017.jpg", "1.jpg", ""})
    CHECK_MESSAGE(contains(read_morph_name(face, name).value_or("read"), "009055_1M54.JPG"), name);
  CHECK(read_morph_name(face, "009055_1M121.JPG").value_or("read") == "age 121 is outside 0..120");
}

TEST_CASE("MORPH's album is recognised and read by its names, whatever their case") {
  TemporaryFolder folder;
  draw(folder / "Album1/000031_0M42.JPG", 42, 0, 31);
  draw(folder / "Album2/009055_1F54.jpg", 54, 1, 9055);
  draw(folder / "Album2/009055_2F55.JPG", 55, 1, 9055);
  write_text(folder / "Album2/Thumbs.db", "x");
  FaceDataset dataset = find_faces(folder.path());
  CHECK(dataset.format == "morph");
  CHECK(lacking(dataset) == std::vector<std::string>{"races"});
  REQUIRE(dataset.faces.size() == 3);
  CHECK(std::ranges::is_sorted(dataset.faces, {}, &Face::path));
  CHECK(face_named(dataset, "009055_1F54.jpg").subject == "9055");
  CHECK(face_named(dataset, "009055_2F55.JPG").subject == "9055");
  CHECK(face_named(dataset, "000031_0M42.JPG").subject == "31");
  CHECK(contains(reason_for(dataset, "Thumbs.db"), "not a picture"));
  const FaceStore store(dataset, 16, 1, 1 << 20);
  CHECK(store.size() == 3);
  CHECK(in_common(find_faces(folder / "Album1"), find_faces(folder / "Album2")).persons == 0);
}

TEST_CASE("MORPH's list, where it lies beside the albums, decides") {
  TemporaryFolder folder;
  draw(folder / "Album1/000031_0M42.JPG");
  draw(folder / "Album2/009055_1M54.JPG");
  draw(folder / "Album2/009056_1F20.jpg");  // in the list as .JPG
  draw(folder / "Album2/009057_1F21.JPG");  // not in the list
  draw(folder / "outside.jpg");
  write_text(folder / "set/.keep", "x");
  for (const char* album : {"Album1", "Album2"}) fs::rename(folder / album, folder / "set" / album);
  write_text(folder / "set/morph_2008_nonCommercial.csv",
             "\xEF\xBB\xBF" + std::string(kHeader) +
                 row("31", "B", "M", "42", "Album1/000031_0M42.JPG") +
                 row("009055", "W", "M", "54", "Album2\\009055_1M54.JPG") +
                 row("9056", "H", "F", "20.5", "Album2/009056_1F20.JPG") +
                 row("9058", "A", "F", "20", "Album2/009058_1F20.JPG") +
                 row("9059", "A", "F", "121", "Album2/009057_1F21.JPG") +
                 row("9060", "A", "F", "33", "../outside.jpg") +
                 row("9061", "A", "F", "33", (folder / "outside.jpg").string()) +
                 row("9062", "A", "F", "", "Album2/009062_1F20.JPG"));
  draw(folder / "set/Album2/009063_1F21.JPG");  // not in the list
  for (const fs::path& path : {folder / "set", folder.path()}) {
    const FaceDataset dataset = find_faces(path);
    CHECK(dataset.format == "morph");
    REQUIRE(dataset.faces.size() == 3);
    CHECK(race_name(dataset, face_named(dataset, "000031_0M42.JPG").race) == "Black");
    CHECK(face_named(dataset, "000031_0M42.JPG").subject == "31");
    CHECK(face_named(dataset, "009055_1M54.JPG").subject == "9055");
    CHECK(face_named(dataset, "009055_1M54.JPG").race == 0);
    CHECK(face_named(dataset, "009056_1F20.jpg").age == 20.5F);
    CHECK(race_name(dataset, face_named(dataset, "009056_1F20.jpg").race) == "Hispanic");
    CHECK(contains(reason_for(dataset, "009058_1F20.JPG"), "no such file"));
    CHECK(reason_for(dataset, "009057_1F21.JPG") == "age 121 is outside 0..120");
    CHECK(contains(reason_for(dataset, "009062_1F20.JPG"), "the age is unknown"));
    CHECK(reason_for(dataset, "009063_1F21.JPG") ==
          "morph_2008_nonCommercial.csv does not name it");
    CHECK(std::ranges::count(dataset.skipped, "the name leads out of the data set's folder",
                             &Skipped::reason) == 2);
  }
  // A part of the list, as splits by other people are given.
  write_text(folder / "set/a.csv",
             std::string(kHeader) + row("31", "B", "M", "42", "Album1/000031_0M42.JPG"));
  CHECK(find_faces(folder / "set/a.csv").format == "morph");
  CHECK(find_faces(folder / "set/a.csv").skipped.empty());
  CHECK(contains(error_of(folder / "set"), "2 lists of MORPH: name one of them"));
}
