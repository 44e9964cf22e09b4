#include "train/faces/copies.h"

#include <algorithm>
#include <filesystem>
#include <string>

#include <doctest/doctest.h>

#include "core/error.h"
#include "core/files.h"
#include "tests/support/temporary_folder.h"
#include "train/faces/face_store.h"

using namespace twinage;
using test::TemporaryFolder;
namespace fs = std::filesystem;

namespace {

FaceDataset read_faces(const fs::path& folder) {
  FaceDataset dataset = find_faces(folder);
  read_contents(dataset, 2);
  return dataset;
}

void write_files(const fs::path& folder,
                 std::initializer_list<std::pair<const char*, const char*>> files) {
  for (const auto& [name, text] : files) {
    fs::create_directories((folder / name).parent_path());
    write_file_atomically(folder / name, text);
  }
}

}  // namespace

TEST_CASE("copies under other names count once, with what they agree on") {
  TemporaryFolder folder;
  write_files(folder.path(), {{"20_0_0_1.jpg", "one"},
                              {"sub/20_0_0_9.jpg", "one"},
                              {"30_0_0_1.jpg", "two"},
                              {"33_1_0_1.jpg", "two"},
                              {"40_0_1_1.jpg", "three"},
                              {"46_0_1_1.jpg", "three"},
                              {"50_1_2_1.jpg", "four"},
                              {"61_0_0_1.jpg", "five"},
                              {"62_0_0_1.jpg", "five"},
                              {"65_0_0_1.jpg", "five"}});
  FaceDataset dataset = read_faces(folder.path());
  REQUIRE(dataset.faces.size() == 10);
  const std::vector<Index> stayed = merge_copies(dataset);
  CHECK(stayed == std::vector<Index>{0, 1, 5, 6});
  REQUIRE(dataset.faces.size() == 4);
  CHECK(dataset.faces[0].age == 20);
  CHECK(dataset.faces[0].gender == 0);
  CHECK(dataset.faces[0].path == (folder / "20_0_0_1.jpg").string());
  CHECK(dataset.faces[1].age == 31.5F);
  CHECK(dataset.faces[1].gender == -1);
  CHECK(dataset.faces[1].race == 0);
  CHECK(dataset.faces[2].age == 50);
  CHECK(dataset.faces[3].age == 62);
  REQUIRE(dataset.copies.size() == 4);
  CHECK_FALSE(dataset.copies[0].ages_differ());
  CHECK(dataset.copies[1].ages_differ());
  CHECK(dataset.copies[1].genders_differ());
  CHECK(dataset.copies[2].left_out);  // 40 and 46
  CHECK(dataset.copies[3].ages == std::vector<float>{61, 62, 65});
  REQUIRE(dataset.skipped.size() == 1);
  CHECK(dataset.skipped[0].reason.find("more than 5 years apart") != std::string::npos);
  CHECK(merge_copies(dataset).size() == 4);  // once is enough
  CHECK(dataset.copies.size() == 4);
}

TEST_CASE("faces whose pictures have not been read are no copies; two persons are nobody's face") {
  FaceDataset dataset;
  dataset.faces.resize(4);
  for (std::size_t i = 0; i < 4; ++i) dataset.faces[i].path = std::to_string(i);
  CHECK(merge_copies(dataset).size() == 4);
  for (Face& face : dataset.faces) face.content = 7;
  dataset.faces[1].subject = "ann";
  FaceDataset two = dataset;
  CHECK(merge_copies(dataset).size() == 1);
  CHECK(dataset.faces[0].subject == "ann");
  two.faces[3].subject = "bo";
  CHECK(merge_copies(two).empty());
  CHECK(two.skipped.at(0).reason == "copies of the same picture name different persons");
}

TEST_CASE("pictures and people that another set has, whatever name or way leads to them") {
  TemporaryFolder folder;
  write_files(folder.path(), {{"a/20_0_0_1.jpg", "one"},
                              {"a/30_0_0_1.jpg", "two"},
                              {"a/40_0_0_1.jpg", "three"},
                              {"a/50_0_0_1.jpg", "four"},
                              {"b/25_0_0_1.jpg", "one"},
                              {"b/10_0_0_1.jpg", "four"},
                              {"b/90_0_0_1.jpg", "four"},
                              {"b/70_0_0_1.jpg", "six"}});
  fs::create_symlink(folder / "a/30_0_0_1.jpg", folder / "b/31_0_0_2.jpg");
  FaceDataset a = read_faces(folder / "a"), b = read_faces(folder / "b");
  merge_copies(b);  // 10 and 90 years: left out there, and yet not to be trained on
  b.faces[0].subject = "ann";
  CHECK(in_common(a, b).copies == 3);
  a.faces[2].subject = "ann";
  const InCommon common = in_common(a, b);
  CHECK(common.copies == 3);
  CHECK(common.persons == 1);
  CHECK(common.faces_of_persons == 1);
  CHECK(common.stayed.empty());
  a.faces[2].subject = "Ann";  // another name
  CHECK(in_common(a, b).stayed == std::vector<Index>{2});
}

TEST_CASE("a store keeps the pixels of the faces that stay") {
  TemporaryFolder folder;
  for (int i = 0; i < 5; ++i) {
    Image image{2, 2, std::vector<std::uint8_t>(12, static_cast<std::uint8_t>(40 * (i / 2)))};
    write_png(folder / fmt::format("{}_0_0_1.png", i), image);
  }
  FaceDataset dataset = find_faces(folder.path());
  FaceStore store(dataset, 2, 2, 4 * 12);
  CHECK(store.kept() == 4);
  store.keep(merge_copies(dataset));
  CHECK(store.size() == 3);
  CHECK(store.kept() == 2);
  Image scratch;
  for (Index i = 0; i < 3; ++i) CHECK(store.pixels(i, scratch)[0] == 40 * i);
  CHECK_THROWS_AS(store.keep({0}), Error);
}
