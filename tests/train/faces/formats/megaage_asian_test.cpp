#include "train/faces/formats/megaage_asian.h"

#include <array>

#include "tests/train/faces/formats/laid_out.h"
#include "train/faces/copies.h"
#include "train/faces/face_store.h"
#include "train/faces/protocols.h"

using namespace twinage;
using namespace twinage::test;

namespace {

// Train 1.jpg to 4.jpg, test 1.jpg and 2.jpg, each with its list.
void lay_out(const fs::path& root) {
  for (int i = 1; i <= 4; ++i)
    draw(root / fmt::format("train/{}.jpg", i), 10 * i, i % 2, static_cast<std::uint64_t>(i));
  for (int i = 1; i <= 2; ++i)
    draw(root / fmt::format("test/{}.jpg", i), 20 * i, i % 2, static_cast<std::uint64_t>(10 + i));
  write_text(root / "list/train_name.txt", "1.jpg\n2.jpg\n3.jpg\n4.jpg\n");
  write_text(root / "list/train_age.txt", "10\n20\n30\n40\n");
  write_text(root / "list/test_name.txt", "1.jpg\n2.jpg\n");
  write_text(root / "list/test_age.txt", "20\n40\n");
}

std::vector<float> ages(const FaceDataset& dataset) {
  std::vector<float> ages;
  for (const Face& face : dataset.faces) ages.push_back(face.age);
  return ages;
}

// Into a folder, and back.
class WorkingFolder {
 public:
  explicit WorkingFolder(const fs::path& path) { fs::current_path(path); }
  ~WorkingFolder() { fs::current_path(before_); }

 private:
  fs::path before_ = fs::current_path();
};

}  // namespace

TEST_CASE("MegaAge-Asian: the folder that is named gives the official part") {
  TemporaryFolder folder;
  lay_out(folder / "megaage_asian");
  for (const char* name : {"megaage_asian/train", "megaage_asian/train/"}) {
    FaceDataset train = find_faces(folder / name);
    CHECK(train.format == "megaage-asian");
    CHECK(ages(train) == std::vector<float>{10, 20, 30, 40});
    CHECK(train.skipped.empty());
    CHECK(lacking(train) == std::vector<std::string>{"genders", "races", "persons"});
    CHECK(FaceStore(train, 16, 1, 1 << 20).size() == 4);
  }
  CHECK(ages(find_faces(folder / "megaage_asian/test")) == std::vector<float>{20, 40});
  {
    const WorkingFolder root(folder / "megaage_asian");
    CHECK(ages(find_faces("test")) == std::vector<float>{20, 40});
    CHECK(ages(find_faces(".")) == std::vector<float>{10, 20, 30, 40});
  }
  const WorkingFolder part(folder / "megaage_asian/test");
  CHECK(ages(find_faces(".")) == std::vector<float>{20, 40});
  CHECK(ages(find_faces("../train")) == std::vector<float>{10, 20, 30, 40});
}

TEST_CASE("MegaAge-Asian as a whole means its part to train on, and says so of the other") {
  TemporaryFolder folder;
  lay_out(folder / "megaage_asian/megaage_asian");  // as its archive unpacks
  for (const char* name : {"megaage_asian", "megaage_asian/megaage_asian"}) {
    const FaceDataset dataset = find_faces(folder / name);
    CHECK(ages(dataset) == std::vector<float>{10, 20, 30, 40});
    REQUIRE(dataset.skipped.size() == 2);
    for (const Skipped& s : dataset.skipped)
      CHECK(s.reason == "it is of the official part 'test': name that folder to read it");
  }
}

TEST_CASE("MegaAge-Asian: its official split has both parts, and finds them again") {
  TemporaryFolder folder;
  lay_out(folder / "megaage_asian/megaage_asian");
  const fs::path data = folder / "megaage_asian";
  const auto all_parts = [&] {
    return find_faces(data, AgeRanges::skip, "auto", OfficialParts::all);
  };
  FaceDataset all = all_parts();
  read_contents(all, 1);
  ProtocolOptions options;
  options.protocol = Protocol::official;
  const SplitFile split = make_split(all, data, options).file;
  CHECK(split.part_of.size() == 6);
  CHECK(split.part_of.at("megaage_asian/train/4.jpg") == "train");
  CHECK(split.part_of.at("megaage_asian/test/1.jpg") == "test");
  const std::array<std::string, 1> test = {"test"};
  CHECK(ages(faces_of_split(all_parts(), data, split, test, 1)) == std::vector<float>{20, 40});
}

TEST_CASE("MegaAge-Asian: lists with CRLF, a byte order mark, empty lines at the end") {
  TemporaryFolder folder;
  lay_out(folder.path());
  write_text(folder / "list/train_name.txt",
             "\xEF\xBB\xBF"
             "1.jpg\r\n2.jpg \r\n3.jpg\r\n4.jpg");
  write_text(folder / "list/train_age.txt",
             "\xEF\xBB\xBF"
             "10\r\n 20\r\n30.0\r\n40\r\n\r\n\r\n");
  CHECK(ages(find_faces(folder / "train")) == std::vector<float>{10, 20, 30, 40});
  CHECK(find_faces(folder / "train").skipped.empty());
}

TEST_CASE("MegaAge-Asian: what its lists name and cannot be used is skipped with the reason") {
  TemporaryFolder folder;
  lay_out(folder.path());
  draw(folder / "train/5.JPG");
  draw(folder / "train/6.jpg");
  draw(folder / "train/7.jpg");
  draw(folder / "secret.jpg");
  write_text(folder / "train/empty.jpg", "");
  write_text(folder / "list/train_name.txt", "1.jpg\n2.jpg\n3.jpg\n4.jpg\n5.jpg\n../secret.jpg\n" +
                                                 (folder / "secret.jpg").string() +
                                                 "\n\n9.jpg\nempty.jpg\n.\n6.JPG\n");
  write_text(folder / "list/train_age.txt", "10\n\n-1\n121\n50\n1\n1\n1\n1\n1\n1\nold\n");
  const FaceDataset dataset = find_faces(folder / "train");
  CHECK(ages(dataset) == std::vector<float>{10, 50});
  CHECK(face_named(dataset, "5.JPG").age == 50);
  CHECK(reason_for(dataset, "2.jpg") == "the age is unknown ('')");
  CHECK(reason_for(dataset, "3.jpg") == "the age is unknown ('-1')");
  CHECK(reason_for(dataset, "4.jpg") == "age 121 is outside 0..120");
  CHECK(reason_for(dataset, "6.jpg") == "age 'old' is not a number");
  CHECK(reason_for(dataset, "9.jpg") == "there is no such file");
  CHECK(reason_for(dataset, "empty.jpg") == "the file is empty (0 bytes)");
  CHECK(reason_for(dataset, "train_name.txt:8") == "the line names no picture");
  CHECK(reason_for(dataset, "7.jpg") == "list/train_name.txt does not name it");
  CHECK(std::ranges::count(dataset.skipped, "the name leads out of the data set's folder",
                           &Skipped::reason) == 2);
  const auto missing = std::ranges::find_if(
      dataset.skipped, [](const Skipped& s) { return s.path.ends_with("/9.jpg"); });
  REQUIRE(missing != dataset.skipped.end());
  CHECK(contains(description(*missing), "train_name.txt:9)"));
}

TEST_CASE("MegaAge-Asian: lists that do not belong together line by line are an error") {
  TemporaryFolder folder;
  lay_out(folder.path());
  write_text(folder / "list/train_age.txt", "10\n20\n30\n");
  const std::string message = error_of(folder / "train");
  CHECK(contains(message, "train_name.txt has 4 lines"));
  CHECK(contains(message, "train_age.txt has 3"));
  CHECK(ages(find_faces(folder / "test")) == std::vector<float>{20, 40});
  write_text(folder / "list/train_age.txt", std::string("1\0"
                                                        "0\0",
                                                        4));
  CHECK(contains(error_of(folder / "train"), "train_age.txt is not UTF-8"));
  fs::remove(folder / "list/train_age.txt");
  CHECK(contains(error_of(folder / "train"), "train_age.txt"));
  CHECK(contains(error_of(folder / "list", "megaage-asian"), "beside list/"));
}
