#include "train/split.h"

#include <algorithm>
#include <filesystem>
#include <set>
#include <string>

#include <doctest/doctest.h>

#include "core/error.h"
#include "core/files.h"
#include "tests/support/temporary_folder.h"

using namespace twinage;
namespace fs = std::filesystem;

namespace {

std::vector<Face> people(Index count, Index faces_each) {
  std::vector<Face> faces;
  for (Index person = 0; person < count; ++person)
    for (Index i = 0; i < faces_each; ++i) {
      Face face;
      face.path = fmt::format("faces/{}_{}.jpg", person, i);
      face.age = static_cast<float>(20 + i);
      if (faces_each > 1) face.subject = fmt::format("p{}", person);
      faces.push_back(face);
    }
  return faces;
}

}  // namespace

TEST_CASE("every face is on one side; as many are held out as asked for; the seed decides") {
  const std::vector<Face> faces = people(50, 1);
  const Split split = split_faces(faces, 10, Random(1));
  CHECK(split.held_out.size() == 10);
  CHECK(split.training.size() == 40);
  CHECK(std::ranges::is_sorted(split.held_out));
  CHECK(std::ranges::is_sorted(split.training));
  std::set<Index> all(split.held_out.begin(), split.held_out.end());
  all.insert(split.training.begin(), split.training.end());
  CHECK(all.size() == 50);
  CHECK(split_faces(faces, 10, Random(1)).held_out == split.held_out);
  CHECK(split_faces(faces, 10, Random(2)).held_out != split.held_out);
}

TEST_CASE("nobody is on both sides") {
  const std::vector<Face> faces = people(12, 5);
  const Split split = split_faces(faces, 11, Random(3));
  CHECK(split.held_out.size() == 15);  // three people
  std::set<std::string> held_out;
  for (const Index i : split.held_out) held_out.insert(faces[static_cast<std::size_t>(i)].subject);
  CHECK(held_out.size() == 3);
  for (const Index i : split.training)
    CHECK_FALSE(held_out.contains(faces[static_cast<std::size_t>(i)].subject));
}

TEST_CASE("too few faces or people are errors") {
  CHECK_THROWS_AS(split_faces(people(3, 1), 2, Random(1)), Error);
  CHECK_THROWS_WITH_AS(split_faces(people(1, 20), 2, Random(1)), doctest::Contains("subjects"),
                       Error);
  CHECK_NOTHROW(split_faces(people(4, 1), 2, Random(1)));
}

TEST_CASE("pictures that another set has are taken out, whatever way leads to them") {
  const test::TemporaryFolder folder;
  fs::create_directories(folder / "all" / "val");
  for (const char* name : {"all/20_0_0_1.jpg", "all/30_0_0_2.jpg", "all/val/40_0_0_3.jpg"})
    write_file_atomically(folder / name, "picture");
  FaceDataset all = find_faces(folder / "all");
  REQUIRE(all.faces.size() == 3);
  CHECK(remove_common_faces(all, find_faces(folder / "all" / ".." / "all" / "val")) == 1);
  REQUIRE(all.faces.size() == 2);
  for (const Face& face : all.faces) CHECK(face.age < 40);
  CHECK(remove_common_faces(all, find_faces(folder / "all" / "val")) == 0);
}

TEST_CASE("a fingerprint knows names, ages, genders and their order, not the folder") {
  const std::vector<Face> faces = people(5, 1);
  std::vector<Face> other = faces;
  for (Face& face : other) face.path = "elsewhere/" + face.path;
  CHECK(fingerprint(other) == fingerprint(faces));
  other.pop_back();
  CHECK(fingerprint(other) != fingerprint(faces));
  other = faces;
  other[2].age += 1;
  CHECK(fingerprint(other) != fingerprint(faces));
  other = faces;
  other[2].gender = 1;
  CHECK(fingerprint(other) != fingerprint(faces));
  other = faces;
  std::swap(other[0], other[1]);
  CHECK(fingerprint(other) != fingerprint(faces));
}
