#include "train/faces/formats/utkface.h"

#include "tests/train/faces/formats/laid_out.h"

using namespace twinage;
using namespace twinage::test;

TEST_CASE("UTKFace names give age, gender and race, sorted by path") {
  TemporaryFolder folder;
  write_text(folder / "9_1_2_20170116220224657.jpg.chip.jpg");
  write_text(folder / "100_0_4_20170112213500903.jpg.chip.jpg");
  write_text(folder / "0_0_0_x.PNG");
  write_text(folder / "deep/er/35_1_3_20170112213500903.bmp");
  const FaceDataset dataset = find_faces(folder.path());
  CHECK(dataset.format == "utkface");
  CHECK(dataset.skipped.empty());
  REQUIRE(dataset.faces.size() == 4);
  CHECK(std::ranges::is_sorted(dataset.faces, {}, &Face::path));
  const Face& nine = face_named(dataset, "9_1_2_20170116220224657.jpg.chip.jpg");
  CHECK(nine.age == 9);
  CHECK(nine.gender == 1);
  CHECK(nine.race == 2);
  CHECK(nine.subject.empty());
  CHECK(face_named(dataset, "100_0_4_20170112213500903.jpg.chip.jpg").race == 4);
  CHECK(face_named(dataset, "35_1_3_20170112213500903.bmp").age == 35);
}

TEST_CASE("the five malformed names of the real UTKFace: two are usable") {
  TemporaryFolder folder;
  const std::string space = "24_0_1_20170116220224657 .jpg.chip.jpg";
  const std::string no_dot = "55_0_0_20170116232725357jpg.chip.jpg";
  write_text(folder / space);
  write_text(folder / no_dot);
  for (const char* name :
       {"61_1_20170109142408075.jpg.chip.jpg", "61_1_20170109150557335.jpg.chip.jpg",
        "39_1_20170116174525125.jpg.chip.jpg"})
    write_text(folder / name);
  const FaceDataset dataset = find_faces(folder.path());
  REQUIRE(dataset.faces.size() == 2);
  CHECK(face_named(dataset, space).age == 24);
  CHECK(face_named(dataset, space).race == 1);
  CHECK(face_named(dataset, no_dot).age == 55);
  REQUIRE(dataset.skipped.size() == 3);
  for (const Skipped& s : dataset.skipped)
    CHECK(s.reason == "the name lacks one of age_gender_race_time");
}

TEST_CASE("what is no face is skipped, each with its reason") {
  TemporaryFolder folder;
  write_text(folder / "30_0_0_1.jpg");
  write_text(folder / "120_1_4_1.jpg");
  write_text(folder / "121_1_4_1.jpg");
  write_text(folder / "99999999999999999999_1_4_1.jpg");
  write_text(folder / "30_2_0_1.jpg");
  write_text(folder / "30_0_5_1.jpg");
  write_text(folder / "30__0_1.jpg");
  write_text(folder / "holiday.jpg");
  write_text(folder / "a_b_c_d.jpg");
  write_text(folder / "-3_0_0_1.jpg");
  write_text(folder / "notes.txt");
  write_text(folder / "._30_0_0_2.jpg");
  write_text(folder / "30_0_0_3.jpg", "");
  write_text(folder / ".cache/30_0_0_4.jpg");
  fs::create_directory_symlink(folder.path(), folder / "circle");
  fs::create_symlink(folder / "gone", folder / "30_0_0_5.jpg");
  const FaceDataset dataset = find_faces(folder.path());
  CHECK(dataset.faces.size() == 2);
  CHECK(dataset.skipped.size() == 14);
  CHECK(std::ranges::is_sorted(dataset.skipped, {}, &Skipped::path));
  CHECK(reason_for(dataset, "121_1_4_1.jpg") == "age 121 is outside 0..120");
  CHECK(contains(reason_for(dataset, "99999999999999999999_1_4_1.jpg"), "is outside 0..120"));
  CHECK(reason_for(dataset, "30_2_0_1.jpg") == "gender 2 is neither 0 (male) nor 1 (female)");
  CHECK(reason_for(dataset, "30_0_5_1.jpg") == "race 5 is outside 0..4");
  CHECK(reason_for(dataset, "30__0_1.jpg") == "the name lacks one of age_gender_race_time");
  for (const char* name : {"holiday.jpg", "a_b_c_d.jpg", "-3_0_0_1.jpg"})
    CHECK(reason_for(dataset, name) == "the name is not of the form age_gender_race_time.jpg");
  CHECK(contains(reason_for(dataset, "notes.txt"), "not a picture"));
  CHECK(contains(reason_for(dataset, "._30_0_0_2.jpg"), "hidden"));
  CHECK(reason_for(dataset, "30_0_0_3.jpg") == "the file is empty (0 bytes)");
  CHECK(contains(reason_for(dataset, ".cache"), "hidden"));
  CHECK(contains(reason_for(dataset, "circle"), "link"));
  CHECK(reason_for(dataset, "30_0_0_5.jpg") == "there is no such file");
}
