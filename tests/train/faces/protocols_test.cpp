#include "train/faces/protocols.h"

#include <algorithm>
#include <set>

#include <doctest/doctest.h>

#include "core/error.h"

using namespace twinage;

namespace {

// `count` pictures of `persons` persons in turn (0: of nobody), of ages 0 to 89.
FaceDataset faces_of(int count, int persons) {
  FaceDataset dataset;
  dataset.format = "utkface";
  for (int i = 0; i < count; ++i) {
    Face face;
    face.path = fmt::format("set/{:04}.jpg", i);
    face.age = static_cast<float>((i * 7) % 90);
    face.gender = i % 2;
    if (persons > 0) face.subject = fmt::format("{}", i % persons);
    face.content = static_cast<std::uint64_t>(1000 + i);
    dataset.faces.push_back(face);
  }
  return dataset;
}

MadeSplit made(const FaceDataset& faces, Protocol protocol, std::uint64_t seed = 1) {
  ProtocolOptions options;
  options.protocol = protocol;
  options.seed = seed;
  return make_split(faces, "set/list.csv", options);
}

Index faces_in(const MadeSplit& split, const std::string& part) {
  for (const PartSummary& p : split.parts)
    if (p.name == part) return p.faces;
  return 0;
}

// Who is in a part; faces are named 0000.jpg, 0001.jpg ...
std::set<std::string> persons_in(const MadeSplit& split, const FaceDataset& faces,
                                 const std::string& part) {
  std::set<std::string> persons;
  for (const Face& face : faces.faces)
    if (const auto at = split.file.part_of.find(face.path.substr(4));
        at != split.file.part_of.end() && at->second == part)
      persons.insert(face.subject);
  return persons;
}

}  // namespace

TEST_CASE("protocols: the same faces and seed give the same bytes, another seed another split") {
  const FaceDataset faces = faces_of(200, 23);
  for (const Protocol protocol : {Protocol::random, Protocol::person, Protocol::folds,
                                  Protocol::person_folds, Protocol::utkface_21_60}) {
    CAPTURE(to_string(protocol));
    const std::string text = to_text(made(faces, protocol).file);
    CHECK(text == to_text(made(faces, protocol).file));
    CHECK(made(faces, protocol, 2).file.part_of != made(faces, protocol).file.part_of);
    CHECK(to_text(parse_split(text, "here")) == text);
    FaceDataset moved = faces;
    for (Face& face : moved.faces) face.path = "elsewhere/" + face.path.substr(4);
    ProtocolOptions options;
    options.protocol = protocol;
    CHECK(to_text(make_split(moved, "elsewhere/list.csv", options).file) == text);
  }
  // Drawn once; these are the bits that a split made by another version must have as well.
  const auto& part_of = made(faces_of(10, 0), Protocol::random).file.part_of;
  std::string drawn;
  for (const auto& [name, part] : part_of) drawn += part[1];
  CHECK(drawn == "rerrrrerrr");
}

TEST_CASE(
    "protocols: a random split has the shares that are asked for, whoever is on the pictures") {
  const FaceDataset faces = faces_of(200, 23);
  ProtocolOptions options;
  options.val_share = 0.1;
  const MadeSplit split = make_split(faces, "set", options);
  CHECK(faces_in(split, "test") == 40);
  CHECK(faces_in(split, "val") == 20);
  CHECK(faces_in(split, "train") == 140);
  CHECK(split.persons_known);
  CHECK(split.persons_shared >= 20);
  CHECK(split.left_out == 0);
  CHECK(split.file.protocol == "random, seed 1, share 0.2, val share 0.1, of format utkface");
}

TEST_CASE("protocols: by person, nobody is on two sides, and the shares are nearly met") {
  FaceDataset faces = faces_of(200, 23);
  for (int i = 0; i < 20; ++i) faces.faces[static_cast<std::size_t>(10 * i)].subject = "";
  ProtocolOptions options;
  options.protocol = Protocol::person;
  options.val_share = 0.1;
  for (options.seed = 1; options.seed <= 20; ++options.seed) {
    const MadeSplit split = make_split(faces, "set", options);
    CHECK(split.persons_shared == 0);
    CHECK(std::abs(faces_in(split, "test") - 40) <= 4);
    CHECK(std::abs(faces_in(split, "val") - 20) <= 4);
    CHECK(split.file.part_of.size() == 200);
    std::set<std::string> test = persons_in(split, faces, "test");
    test.erase("");
    for (const std::string& person : persons_in(split, faces, "train"))
      CHECK_FALSE(test.contains(person));
  }
  // One with most of the pictures does not go where a fifth is wanted, and two can be split.
  FaceDataset two = faces_of(100, 1);
  two.faces[3].subject = "other";
  CHECK(persons_in(made(two, Protocol::person), two, "test") == std::set<std::string>{"other"});
}

TEST_CASE("protocols: folds are a partition into equal parts; by person nobody is in two of them") {
  const FaceDataset faces = faces_of(203, 23);
  for (const Protocol protocol : {Protocol::folds, Protocol::person_folds}) {
    CAPTURE(to_string(protocol));
    const MadeSplit split = made(faces, protocol);
    REQUIRE(split.parts.size() == 5);
    CHECK(split.file.folds() == 5);
    CHECK(split.file.part_of.size() == 203);
    std::set<std::string> seen;
    Index least = 203, most = 0;
    for (const PartSummary& part : split.parts) {
      least = std::min(least, part.faces);
      most = std::max(most, part.faces);
      for (const std::string& person : persons_in(split, faces, part.name))
        if (protocol == Protocol::person_folds) CHECK(seen.insert(person).second);
    }
    CHECK(most - least <= (protocol == Protocol::folds ? 1 : 9));
    CHECK((split.persons_shared == 0) == (protocol == Protocol::person_folds));
  }
}

TEST_CASE("protocols: leave one out has a fold for each person, in order, and says whose it is") {
  FaceDataset faces = faces_of(60, 12);
  faces.faces[5].subject = "";
  faces.faces[6].subject = "anna";
  const MadeSplit split = made(faces, Protocol::leave_one_out);
  REQUIRE(split.parts.size() == 13);
  CHECK(split.left_out == 1);
  for (int person = 0; person < 12; ++person) {
    const std::string name = fmt::format("{}", person);
    CHECK(persons_in(split, faces, name) == std::set<std::string>{name});
    CHECK(split.file.parts[static_cast<std::size_t>(person)].note == "person " + name);
  }
  CHECK(split.parts[12].note == "person anna");
  CHECK(to_text(split.file).find("\n# part 12: 1 faces, fingerprint ") != std::string::npos);
}

TEST_CASE("protocols: UTKFace 21-60 has these ages only, and is of UTKFace only") {
  FaceDataset faces = faces_of(500, 0);
  const MadeSplit split = made(faces, Protocol::utkface_21_60);
  std::size_t within = 0;
  for (const Face& face : faces.faces) {
    const bool fits = face.age >= 21 && face.age <= 60;
    within += fits;
    CHECK(split.file.part_of.contains(face.path.substr(4)) == fits);
  }
  CHECK(split.file.part_of.size() == within);
  CHECK(split.left_out == static_cast<Index>(500 - within));
  CHECK(faces_in(split, "test") == std::llround(0.2 * static_cast<double>(within)));
  for (const PartSummary& part : split.parts) {
    CHECK(part.youngest >= 21);
    CHECK(part.oldest <= 60);
  }
  faces.format = "morph";
  CHECK_THROWS_WITH_AS(made(faces, Protocol::utkface_21_60), doctest::Contains("of format morph"),
                       Error);
}

TEST_CASE("protocols: copies go the same way, and those whose ages contradict are in no part") {
  FaceDataset faces = faces_of(200, 0);
  for (int i = 0; i < 50; ++i) {  // of 0150.jpg to 0199.jpg each is a copy of one before it
    Face& copy = faces.faces[static_cast<std::size_t>(150 + i)];
    copy.content = faces.faces[static_cast<std::size_t>(i)].content;
    copy.age = faces.faces[static_cast<std::size_t>(i)].age + (i == 7 ? 30.0F : 1.0F);
  }
  for (const Protocol protocol : {Protocol::random, Protocol::folds}) {
    const MadeSplit split = made(faces, protocol);
    CHECK(split.left_out == 2);
    CHECK(split.copies == 49);
    CHECK(split.file.part_of.size() == 198);
    for (int i = 0; i < 50; ++i) {
      const std::string first = fmt::format("{:04}.jpg", i),
                        copy = fmt::format("{:04}.jpg", 150 + i);
      CHECK(split.file.part_of.contains(first) == (i != 7));
      if (i != 7) CHECK(split.file.part_of.at(first) == split.file.part_of.at(copy));
    }
  }
}

TEST_CASE("protocols: an official split is kept, and what two parts have stays in the later one") {
  FaceDataset faces = faces_of(10, 0);
  for (std::size_t i = 0; i < 10; ++i)
    faces.faces[i].part = i < 6 ? "train" : i < 8 ? "val" : "test";
  faces.faces[0].content = faces.faces[9].content;  // in train and test
  faces.faces[0].age = faces.faces[9].age + 50;
  faces.faces[1].content = faces.faces[2].content;  // twice in train
  faces.faces[1].age = faces.faces[2].age;
  faces.faces[6].content = faces.faces[8].content;  // in val and test
  const MadeSplit split = made(faces, Protocol::official);
  CHECK(split.on_both_sides == 2);
  CHECK(split.left_out == 2);
  CHECK(split.copies == 1);
  CHECK(faces_in(split, "train") == 4);
  CHECK(faces_in(split, "val") == 1);
  CHECK(faces_in(split, "test") == 2);
  CHECK_FALSE(split.file.part_of.contains("0000.jpg"));
  CHECK(split.file.part_of.at("0009.jpg") == "test");
  CHECK(split.file.part_of.at("0001.jpg") == "train");
  CHECK_THROWS_WITH_AS(made(faces_of(10, 0), Protocol::official),
                       doctest::Contains("no official split"), Error);
}

TEST_CASE("protocols: what cannot be split is an error that says why") {
  CHECK_THROWS_WITH_AS(made(faces_of(50, 0), Protocol::person),
                       doctest::Contains("needs to know who is on a picture"), Error);
  CHECK_THROWS_WITH_AS(made(faces_of(50, 1), Protocol::leave_one_out),
                       doctest::Contains("two persons"), Error);
  CHECK_THROWS_WITH_AS(made(faces_of(50, 1), Protocol::person),
                       doctest::Contains("part train would be empty"), Error);
  CHECK_THROWS_WITH_AS(made(faces_of(50, 4), Protocol::person_folds),
                       doctest::Contains("part 4 would be empty"), Error);
  CHECK_THROWS_WITH_AS(made(faces_of(1, 0), Protocol::random), doctest::Contains("too few"), Error);
  ProtocolOptions options;
  options.val_share = 0.8;
  CHECK_THROWS_AS(make_split(faces_of(50, 0), "set", options), UsageError);
  options = {};
  options.folds = 1;
  CHECK_THROWS_AS(make_split(faces_of(50, 0), "set", options), UsageError);
  FaceDataset faces = faces_of(50, 0);
  faces.faces[3].path = "set/a\nb.jpg";
  CHECK_THROWS_WITH_AS(to_text(made(faces, Protocol::random).file), doctest::Contains("line break"),
                       Error);
}
