#include "train/faces/formats/appa_real.h"

#include "tests/train/faces/formats/laid_out.h"
#include "train/faces/face_store.h"

using namespace twinage;
using namespace twinage::test;

namespace {

constexpr std::string_view kHeader =
    "file_name,num_ratings,apparent_age_avg,apparent_age_std,real_age\n";

// Two pictures to train on, one to validate, one to test, of real ages 10, 20, 30, 40 (people guess
// 60 of each), with the whole photographs beside the crops.
void lay_out(const fs::path& root) {
  const std::pair<const char*, int> parts[] = {{"train", 2}, {"valid", 1}, {"test", 1}};
  int number = 0;
  for (const auto& [part, count] : parts) {
    std::string list(kHeader);
    for (int i = 0; i < count; ++i, ++number) {
      const std::string name = fmt::format("{:06}.jpg", number);
      draw(root / part / (name + "_face.jpg"), 10 * number + 10, 0,
           static_cast<std::uint64_t>(number + 1));
      draw(root / part / name, 50, 0, static_cast<std::uint64_t>(number + 100));
      write_text(root / part / (name + ".mat"), "meta");
      list += fmt::format("{},36,60.5,1.3,{}\n", name, 10 * number + 10);
    }
    write_text(root / fmt::format("gt_avg_{}.csv", part), list);
  }
}

std::vector<float> ages(const FaceDataset& dataset) {
  std::vector<float> ages;
  for (const Face& face : dataset.faces) ages.push_back(face.age);
  return ages;
}

}  // namespace

TEST_CASE("APPA-REAL: the real age, of the crop; the part that is named, or the one to train on") {
  TemporaryFolder folder;
  const fs::path root = folder / "appa-real-release";
  lay_out(root);
  for (const fs::path& path : {root, folder.path(), root / "train", root / "gt_avg_train.csv"}) {
    CAPTURE(path);
    FaceDataset train = find_faces(path);
    CHECK(train.format == "appa-real");
    CHECK(ages(train) == std::vector<float>{10, 20});
    CHECK(train.faces[0].path.ends_with("train/000000.jpg_face.jpg"));
    CHECK(train.faces[0].part == "train");
    CHECK(lacking(train) == std::vector<std::string>{"genders", "races", "persons"});
    CHECK(contains(reason_for(train, "000000.jpg"), "or it is no crop"));
    CHECK(FaceStore(train, 16, 1, 1 << 20).size() == 2);
  }
  CHECK(ages(find_faces(root / "valid")) == std::vector<float>{30});
  CHECK(ages(find_faces(root / "gt_avg_test.csv")) == std::vector<float>{40});
  CHECK(reason_for(find_faces(root), "000003.jpg_face.jpg") ==
        "it is of the official part 'test': name that folder to read it");
}

TEST_CASE("APPA-REAL: all official parts at once, when a split asks for them") {
  TemporaryFolder folder;
  lay_out(folder.path());
  const FaceDataset all = find_faces(folder.path(), AgeRanges::skip, "auto", OfficialParts::all);
  REQUIRE(all.faces.size() == 4);
  for (const Face& face : all.faces)
    CHECK(face.part == (face.age <= 20 ? "train" : face.age == 30 ? "val" : "test"));
}

TEST_CASE("APPA-REAL: what its list names and cannot be used is skipped with the reason") {
  TemporaryFolder folder;
  lay_out(folder.path());
  draw(folder / "secret.jpg_face.jpg");
  draw(folder / "train/000009.jpg_face.jpg");
  write_text(folder / "gt_avg_train.csv",
             std::string(kHeader) +
                 "000000.jpg,36,5,1,10\n000001.jpg,36,5,1,121\n000007.jpg,36,5,1,7\n"
                 "../../secret.jpg,1,5,1,9\n000001.jpg,1,5\n,1,5,1,8\n");
  const FaceDataset dataset = find_faces(folder.path());
  CHECK(ages(dataset) == std::vector<float>{10});
  CHECK(reason_for(dataset, "000001.jpg_face.jpg") == "age 121 is outside 0..120");
  CHECK(contains(reason_for(dataset, "000007.jpg_face.jpg"), "no such file"));
  CHECK(contains(reason_for(dataset, "000009.jpg_face.jpg"), "gt_avg_train.csv does not name it"));
  CHECK(reason_for(dataset, "gt_avg_train.csv:6") == "the row has 3 fields, the header 5");
  CHECK(reason_for(dataset, "gt_avg_train.csv:7") == "the row names no path");
  CHECK(std::ranges::count(dataset.skipped, "the name leads out of the data set's folder",
                           &Skipped::reason) == 1);
  write_text(folder / "gt_avg_train.csv", "file_name,age_of_people\n000000.jpg,4\n");
  CHECK(contains(error_of(folder.path()), "gt_avg_train.csv"));
}
