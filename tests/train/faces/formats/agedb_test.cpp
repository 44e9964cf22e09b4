#include "train/faces/formats/agedb.h"

#include "tests/train/faces/formats/laid_out.h"
#include "train/faces/face_store.h"

using namespace twinage;
using namespace twinage::test;

TEST_CASE("AgeDB's names give person, age and gender, whatever the person is called") {
  Face face;
  CHECK_FALSE(read_agedb_name(face, "1000_StephenHawking_53_m.jpg").has_value());
  CHECK(face.subject == "StephenHawking");
  CHECK(face.age == 53);
  CHECK(face.gender == 0);
  CHECK_FALSE(read_agedb_name(face, "0_Sammy_Davis.Jr_101_F.JPG").has_value());
  CHECK(face.subject == "Sammy_Davis.Jr");
  CHECK(face.age == 101);
  CHECK(face.gender == 1);
  for (const char* name :
       {"StephenHawking_53_m.jpg", "1000_StephenHawking_m.jpg", "1000__53_m.jpg", "1000_53_m.jpg",
        "1000_StephenHawking_53.jpg", "1000_StephenHawking_53_x.jpg",
        "1000_StephenHawking_53_0.jpg", "1000_StephenHawking_53_mf.jpg",
        "1000_StephenHawking_5a_m.jpg", "1_2_30_m.jpg", "30_1_2_x_5_m.jpg", "1__A_5_m.jpg",
        "30_1_2_20170116.jpg", "a_StephenHawking_53_m.jpg", ""})
    CHECK_MESSAGE(
        contains(read_agedb_name(face, name).value_or("read"), "1000_StephenHawking_53_m.jpg"),
        name);
  CHECK(read_agedb_name(face, "1_A_121_m.jpg").value_or("read") == "age 121 is outside 0..120");
}

TEST_CASE("AgeDB is recognised and read by its names") {
  TemporaryFolder folder;
  draw(folder / "AgeDB/0_MariaCallas_35_f.jpg", 35, 1, 1);
  draw(folder / "AgeDB/1_MariaCallas_40_f.jpg", 40, 1, 1);
  draw(folder / "AgeDB/2_StephenHawking_53_m.jpg", 53, 0, 2);
  draw(folder / "AgeDB/3_StephenHawking.jpg", 53, 0, 3);
  FaceDataset dataset = find_faces(folder.path());
  CHECK(dataset.format == "agedb");
  CHECK(lacking(dataset) == std::vector<std::string>{"races"});
  REQUIRE(dataset.faces.size() == 3);
  CHECK(face_named(dataset, "1_MariaCallas_40_f.jpg").subject == "MariaCallas");
  CHECK(face_named(dataset, "2_StephenHawking_53_m.jpg").gender == 0);
  CHECK(contains(reason_for(dataset, "3_StephenHawking.jpg"), "not of AgeDB's form"));
  CHECK(FaceStore(dataset, 16, 1, 1 << 20).size() == 3);
}
