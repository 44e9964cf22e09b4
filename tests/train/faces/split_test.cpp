#include "train/faces/split.h"

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

TEST_CASE("one person with most of the faces is not the whole held-out set") {
  std::vector<Face> faces = people(1, 55);
  for (int i = 0; i < 5; ++i) {
    Face other = faces.front();
    other.path = fmt::format("other/{}.jpg", i);
    other.subject = i < 2 ? "" : fmt::format("o{}", i);
    faces.push_back(other);
  }
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const Split split = split_faces(faces, 12, Random(seed));
    CHECK(split.held_out.size() == 3);  // half of the six people
    for (const Index i : split.held_out) CHECK(i >= 55);
  }
}

TEST_CASE("several people are held out, near the number wanted; of two, one is") {
  std::vector<Face> faces;
  for (Index person = 0; person < 40; ++person)
    for (Index i = 0; i <= person; ++i) {
      Face face;
      face.path = fmt::format("{}_{}.jpg", person, i);
      face.subject = fmt::format("p{}", person);
      faces.push_back(face);
    }
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const Split split = split_faces(faces, 100, Random(seed));
    CHECK(split.held_out.size() >= 100);
    CHECK(split.held_out.size() <= 150);
    std::set<std::string> persons;
    for (const Index i : split.held_out) persons.insert(faces[static_cast<std::size_t>(i)].subject);
    CHECK(persons.size() >= 2);
  }
  for (std::uint64_t seed = 0; seed < 5; ++seed)
    CHECK(split_faces(people(2, 20), 8, Random(seed)).held_out.size() == 20);
}

TEST_CASE("without subjects the split is the one it always was") {
  // As this function gave it before it looked at how many faces a subject has.
  CHECK(split_faces(people(20, 1), 6, Random(7)).held_out ==
        std::vector<Index>{1, 5, 7, 10, 15, 19});
}

TEST_CASE("enough faces are held out to calibrate by, where there are enough") {
  CHECK(held_out_count(17163, 0.03, 1000) == 515);
  CHECK(held_out_count(400, 0.03, 1000) == 80);
  CHECK(held_out_count(1000, 0.03, 1000) == 100);
  CHECK(held_out_count(60, 0.03, 1000) == 12);
  CHECK(held_out_count(4, 0.03, 1000) == 2);
  CHECK(held_out_count(100'000, 0.03, 1000) == 1000);
  CHECK(held_out_count(400, 0.03, 10) == 10);
}

TEST_CASE("what may go wrong with the faces is said before") {
  std::vector<Face> faces = people(300, 1);
  std::vector<Index> all;
  for (Index i = 0; i < 300; ++i) {
    faces[static_cast<std::size_t>(i)].age = static_cast<float>(i % 80);
    faces[static_cast<std::size_t>(i)].gender = static_cast<std::int32_t>(i % 2);
    all.push_back(i);
  }
  CHECK(concerns(faces, all, kPaperHeads).empty());
  CHECK(gender_labels(faces, all) == 300);
  const auto only = [&](auto change, const char* part) {
    std::vector<Face> other = faces;
    for (std::size_t i = 0; i < other.size(); ++i) change(other[i], i);
    const auto lines = concerns(other, all, kPaperHeads);
    REQUIRE(lines.size() == 1);
    CHECK(lines[0].find(part) != std::string::npos);
    return gender_labels(other, all);
  };
  CHECK(only([](Face& f, std::size_t i) { f.gender = i % 2 ? 1 : -1; }, "are female") == 0);
  only([](Face& f, std::size_t i) { f.age = 30 + static_cast<float>(i % 3); }, "30 to 32 years");
  only([](Face& f, std::size_t i) { f.subject = i < 200 ? "ann" : ""; }, "200 of the 300");
  CHECK(concerns(faces, {0, 1, 50, 51}, kPaperHeads).at(0).find("only 4 faces") !=
        std::string::npos);
  for (Face& face : faces) face.gender = 1;
  CHECK(concerns(faces, all, kPaperHeads).size() == 1);
  CHECK(concerns(faces, all, {Task::embedding}).empty());  // nothing is to be learnt of genders
  for (Face& face : faces) face.age = 30;
  CHECK_THROWS_WITH_AS(concerns(faces, all, kPaperHeads), doctest::Contains("have the age 30"),
                       Error);
}

TEST_CASE("a fingerprint knows names, labels, subjects, contents and their order, not the folder") {
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
  other[2].subject = "ann";
  CHECK(fingerprint(other) != fingerprint(faces));
  other = faces;
  other[2].content = 1;
  CHECK(fingerprint(other) != fingerprint(faces));
  other = faces;
  std::swap(other[0], other[1]);
  CHECK(fingerprint(other) != fingerprint(faces));
}
