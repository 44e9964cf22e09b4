#include "train/faces/formats/fg_net.h"

#include "tests/train/faces/formats/laid_out.h"
#include "train/faces/face_store.h"

using namespace twinage;
using namespace twinage::test;

TEST_CASE("FG-NET's names give person and age, in either case") {
  Face face;
  CHECK_FALSE(read_fg_net_name(face, "001A02.JPG").has_value());
  CHECK(face.subject == "1");
  CHECK(face.age == 2);
  CHECK(face.gender == -1);
  CHECK_FALSE(read_fg_net_name(face, "082a43B.jpg").has_value());
  CHECK(face.subject == "82");
  CHECK(face.age == 43);
  for (const char* name : {"01A02.jpg", "00001A02.jpg", "001A2.jpg", "001A002.jpg", "001A02ab.jpg",
                           "001A021.jpg", "001B02.jpg", "A02.jpg", "001A02-.jpg", "001.jpg", ""})
    CHECK_MESSAGE(contains(read_fg_net_name(face, name).value_or("read"), "001A43a.JPG"), name);
}

TEST_CASE("FG-NET is recognised and read by its names; its points are no pictures") {
  TemporaryFolder folder;
  draw(folder / "FGNET/images/001A02.JPG", 2, 0, 1);
  draw(folder / "FGNET/images/001a43a.jpg", 43, 0, 1);
  draw(folder / "FGNET/images/001A43b.JPG", 43, 0, 2);
  draw(folder / "FGNET/images/082A16.JPG", 16, 1, 3);
  draw(folder / "FGNET/images/group.JPG", 16, 1, 4);
  write_text(folder / "FGNET/points/001a02.pts");
  FaceDataset dataset = find_faces(folder / "FGNET");
  CHECK(dataset.format == "fg-net");
  CHECK(lacking(dataset) == std::vector<std::string>{"genders", "races"});
  REQUIRE(dataset.faces.size() == 4);
  CHECK(face_named(dataset, "001a43a.jpg").subject == "1");
  CHECK(face_named(dataset, "082A16.JPG").age == 16);
  CHECK(contains(reason_for(dataset, "group.JPG"), "not of FG-NET's form"));
  CHECK(contains(reason_for(dataset, "001a02.pts"), "not a picture"));
  CHECK(FaceStore(dataset, 16, 1, 1 << 20).size() == 4);
}
