#include <set>

#include "core/enum_names.h"
#include "tests/train/faces/formats/laid_out.h"
#include "train/faces/formats/format.h"

using namespace twinage;
using namespace twinage::test;

namespace {

// A face or two in the layout of each format.
fs::path lay_out(std::string_view format, const fs::path& folder) {
  if (format == "utkface") {
    draw(folder / "30_1_2_20170116220224657.jpg.chip.jpg");
    return folder;
  }
  if (format == "manifest") {
    draw(folder / "a.jpg");
    write_text(folder / "faces.csv", "path,age,gender,race,subject\na.jpg,30,f,0,ann\n");
    return folder / "faces.csv";
  }
  if (format == "morph") {
    draw(folder / "Album2/009055_1M54.JPG");
    return folder;
  }
  if (format == "afad") {
    draw(folder / "AFAD-Full/18/112/109428-0.jpg");
    return folder / "AFAD-Full";
  }
  if (format == "fg-net") {
    draw(folder / "images/001A43a.JPG");
    return folder;
  }
  if (format == "appa-real") {
    draw(folder / "train/000000.jpg_face.jpg");
    write_text(folder / "gt_avg_train.csv",
               "file_name,num_ratings,apparent_age_avg,apparent_age_std,real_age\n"
               "000000.jpg,36,5.05,1.34,4\n");
    return folder;
  }
  if (format == "agedb") {
    draw(folder / "1000_StephenHawking_53_m.jpg");
    return folder;
  }
  if (format == "all-age-faces") {
    draw(folder / "aglined faces/07381A02.jpg");
    return folder;
  }
  if (format == "imdb-wiki") {
    draw(folder / "17/10000217_1981-05-05_2009.jpg");
    write_text(folder / "wiki.csv",
               "dob,photo_taken,full_path,gender,name,face_score,second_face_score\n"
               "723671,2009,17/10000217_1981-05-05_2009.jpg,1.0,Sami Jauhojaervi,4.3,nan\n");
    return folder;
  }
  REQUIRE(format == "megaage-asian");
  draw(folder / "train/1.jpg");
  write_text(folder / "list/train_name.txt", "1.jpg\n");
  write_text(folder / "list/train_age.txt", "30\n");
  return folder / "train";
}

}  // namespace

TEST_CASE("each format recognises its own layout and no other, and lacks what its row says") {
  std::set<std::string_view> names;
  for (const FaceFormat& format : face_formats()) {
    CAPTURE(format.name);
    names.insert(format.name);
    TemporaryFolder folder;
    const fs::path path = lay_out(format.name, folder.path());
    for (const FaceFormat& other : face_formats())
      CHECK_MESSAGE(other.looks_like(path) == (other.name == format.name), other.name);
    const FaceDataset dataset = find_faces(path);
    CHECK(dataset.format == format.name);
    CHECK(dataset.faces.size() == 1);
    for (const std::string& label : lacking(dataset))
      CHECK(contains(std::string(format.lacks), label));
    const FaceDataset named = find_faces(path, AgeRanges::skip, format.name);
    CHECK(named.faces.front().path == dataset.faces.front().path);
    CHECK_FALSE(format.layout.empty());
    CHECK_FALSE(format.genders.empty());
  }
  CHECK(names.size() == face_formats().size());
}

TEST_CASE("a folder that two formats recognise is an error until one is chosen") {
  TemporaryFolder folder;
  lay_out("utkface", folder.path());
  lay_out("morph", folder.path());
  const std::string message = error_of(folder.path());
  CHECK(contains(message, "can be read as utkface and morph: choose one with --format NAME"));
  const FaceDataset utkface = find_faces(folder.path(), AgeRanges::skip, "utkface");
  CHECK(utkface.format == "utkface");
  CHECK(utkface.faces.size() == 1);
  CHECK(contains(reason_for(utkface, "009055_1M54.JPG"), "lacks one of age_gender_race_time"));
  CHECK(find_faces(folder.path(), AgeRanges::skip, "morph").faces.at(0).subject == "9055");
}

TEST_CASE("a path that no format recognises is an error that lists the layouts") {
  TemporaryFolder folder;
  draw(folder / "holiday.jpg");
  const std::string message = error_of(folder.path());
  CHECK(contains(message, "no format recognises"));
  CHECK(contains(message, "holiday.jpg, because: its name is of no known form"));
  for (const FaceFormat& format : face_formats()) {
    CHECK(contains(message, std::string(format.layout)));
    CHECK(error_of(folder.path(), format.name) != "(no error)");
  }
  write_text(folder / "list.csv", "name,years\nholiday.jpg,30\n");
  CHECK(
      contains(error_of(folder / "list.csv"), "'twinage data --formats' lists the other formats"));
  CHECK_THROWS_WITH_AS(find_faces(folder.path(), AgeRanges::skip, "utk"),
                       doctest::Contains(listed(face_format_names()).c_str()), UsageError);
}

TEST_CASE("FairFace's lists are manifests: its column is called file, its ages are ranges") {
  TemporaryFolder folder;
  draw(folder / "val/1.jpg");
  draw(folder / "val/2.jpg");
  write_text(folder / "fairface_label_val.csv",
             "file,age,gender,race,service_test\n"
             "val/1.jpg,3-9,Male,East Asian,False\n"
             "val/2.jpg,more than 70,Female,Latino_Hispanic,True\n");
  const FaceDataset dataset = find_faces(folder / "fairface_label_val.csv", AgeRanges::middle);
  CHECK(dataset.format == "manifest");
  REQUIRE(dataset.faces.size() == 2);
  CHECK(dataset.faces[0].age == 6);
  CHECK(dataset.faces[1].age == 75);
  CHECK(dataset.faces[1].gender == 1);
  CHECK(race_name(dataset, dataset.faces[1].race) == "Latino_Hispanic");
  CHECK(contains(error_of(folder / "fairface_label_val.csv"), "--age-ranges middle"));
}

TEST_CASE("a place without faces is an error that says what is understood") {
  TemporaryFolder folder;
  for (const fs::path& path : {folder.path(), folder / "nowhere"}) {
    const std::string message = error_of(path);
    CHECK(contains(message, path.string()));
    CHECK(contains(message, "age_gender_race_time.jpg"));
    CHECK(contains(message, "path,age,gender,race,subject"));
    CHECK(contains(message, ".png"));
    CHECK_FALSE(contains(message, "\n"));
  }
  write_text(folder / "readme.txt");
  CHECK(contains(error_of(folder.path()), "not a picture"));
  write_text(folder / "faces.csv", "path,age\n");
  CHECK(contains(error_of(folder.path()), "faces.csv is a manifest, name it"));
  write_text(folder / "photo.jpg");
  CHECK(contains(error_of(folder / "photo.jpg"), "is one picture"));
}
