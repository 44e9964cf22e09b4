#include "train/faces/formats/afad.h"

#include "tests/train/faces/formats/laid_out.h"
#include "train/faces/face_store.h"

using namespace twinage;
using namespace twinage::test;

TEST_CASE("AFAD's folders give age and gender, and nobody's name") {
  Face face;
  CHECK_FALSE(read_afad_path(face, "AFAD-Full/18/111/109428-0.jpg").has_value());
  CHECK(face.age == 18);
  CHECK(face.gender == 0);
  CHECK(face.subject.empty());
  CHECK_FALSE(read_afad_path(face, "/a/b/74/112/1-12.JPG").has_value());
  CHECK(face.age == 74);
  CHECK(face.gender == 1);
  for (const char* path :
       {"18/113/1-0.jpg", "18/1-0.jpg", "111/1-0.jpg", "1-0.jpg", "old/111/1-0.jpg", "18/111/1.jpg",
        "18/111/1-.jpg", "18/111/a-0.jpg", "18/111/1-0b.jpg", "1 8/111/1-0.jpg", "-18/111/1-0.jpg",
        "18/111/30_1_2_x.jpg", ""})
    CHECK_MESSAGE(contains(read_afad_path(face, path).value_or("read"), "18/111/109428-0.jpg"),
                  path);
  CHECK(read_afad_path(face, "121/111/1-0.jpg").value_or("read") == "age 121 is outside 0..120");
  CHECK(contains(read_afad_path(face, std::string(400, '9') + "/111/1-0.jpg").value_or("read"),
                 "age '999"));
}

TEST_CASE("AFAD is recognised and read from its folder, from a part of it, and from within") {
  TemporaryFolder folder;
  draw(folder / "AFAD-Full/18/111/109428-0.jpg", 18, 0, 1);
  draw(folder / "AFAD-Full/18/112/109429-0.jpg", 18, 1, 2);
  draw(folder / "AFAD-Full/40/112/109430-0.jpg", 40, 1, 3);
  draw(folder / "AFAD-Full/40/109431-0.jpg", 40, 1, 4);
  draw(folder / "AFAD-Full/40/112/me.jpg", 40, 1, 5);
  write_text(folder / "AFAD-Full/AFAD-Full.txt");
  FaceDataset dataset = find_faces(folder.path());
  CHECK(dataset.format == "afad");
  CHECK(lacking(dataset) == std::vector<std::string>{"races", "persons"});
  REQUIRE(dataset.faces.size() == 3);
  CHECK(face_named(dataset, "109430-0.jpg").age == 40);
  CHECK(contains(reason_for(dataset, "109431-0.jpg"), "does not lie where AFAD's pictures do"));
  CHECK(contains(reason_for(dataset, "me.jpg"), "does not lie where AFAD's pictures do"));
  CHECK(contains(reason_for(dataset, "AFAD-Full.txt"), "not a picture"));
  CHECK(FaceStore(dataset, 16, 1, 1 << 20).size() == 3);
  CHECK(find_faces(folder / "AFAD-Full/40").faces.size() == 1);
  CHECK(find_faces(folder / "AFAD-Full/18/112").faces.at(0).gender == 1);
  const fs::path before = fs::current_path();
  fs::current_path(folder / "AFAD-Full/18");
  const FaceDataset from_within = find_faces(".");
  fs::current_path(before);
  CHECK(from_within.faces.size() == 2);
}
