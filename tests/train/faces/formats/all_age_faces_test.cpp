#include "train/faces/formats/all_age_faces.h"

#include "tests/train/faces/formats/laid_out.h"
#include "train/faces/face_store.h"

using namespace twinage;
using namespace twinage::test;

TEST_CASE("All-Age-Faces' names give age and gender: up to number 7380 female") {
  Face face;
  CHECK_FALSE(read_all_age_faces_name(face, "00000A02.jpg").has_value());
  CHECK(face.age == 2);
  CHECK(face.gender == 1);
  CHECK(face.subject.empty());
  CHECK_FALSE(read_all_age_faces_name(face, "07380a80.JPG").has_value());
  CHECK(face.gender == 1);
  CHECK_FALSE(read_all_age_faces_name(face, "07381A100.jpg").has_value());
  CHECK(face.gender == 0);
  CHECK(face.age == 100);
  for (const char* name : {"001A02.jpg", "0001A02.jpg", "000001A02.jpg", "00001A2.jpg",
                           "00001A0002.jpg", "00001A02b.jpg", "00001B02.jpg", "00001.jpg", ""})
    CHECK_MESSAGE(contains(read_all_age_faces_name(face, name).value_or("read"), "07381A02.jpg"),
                  name);
  CHECK(read_all_age_faces_name(face, "00001A121.jpg").value_or("read") ==
        "age 121 is outside 0..120");
}

TEST_CASE("All-Age-Faces: of a face that is there twice the aligned one is read, once") {
  TemporaryFolder folder;
  const fs::path root = folder / "All-Age-Faces Dataset";
  draw(root / "original images/00000A02.jpg", 2, 1, 1);
  draw(root / "aglined faces/00000A02.jpg", 2, 1, 11);
  draw(root / "original images/07381A30.jpg", 30, 0, 2);
  draw(root / "original images/portrait.jpg", 30, 0, 3);
  write_text(root / "image sets/train.txt");
  FaceDataset dataset = find_faces(folder.path());
  CHECK(dataset.format == "all-age-faces");
  CHECK(lacking(dataset) == std::vector<std::string>{"races", "persons"});
  REQUIRE(dataset.faces.size() == 2);
  CHECK(contains(face_named(dataset, "00000A02.jpg").path, "aglined faces"));
  CHECK(contains(face_named(dataset, "07381A30.jpg").path, "original images"));
  CHECK(reason_for(dataset, "00000A02.jpg") ==
        "the same face is in 'aglined faces', under the same name");
  CHECK(contains(reason_for(dataset, "portrait.jpg"), "not of All-Age-Faces' form"));
  CHECK(FaceStore(dataset, 16, 1, 1 << 20).size() == 2);
  CHECK(find_faces(root / "original images").faces.size() == 2);
}
