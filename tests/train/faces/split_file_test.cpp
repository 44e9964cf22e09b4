#include "train/faces/split_file.h"

#include <algorithm>
#include <array>

#include "tests/train/faces/formats/laid_out.h"
#include "tests/train/learnable_faces.h"
#include "train/faces/copies.h"
#include "train/faces/protocols.h"

using namespace twinage;
using namespace twinage::test;

namespace {

const std::string kTitle = std::string(kSplitTitle) + "\n";

std::string refusal(const std::string& text) {
  try {
    (void)parse_split(text, "s.txt");
  } catch (const Error& error) {
    return error.what();
  }
  return "(no error)";
}

std::string refusal_of(const FaceDataset& found, const fs::path& data, const SplitFile& split) {
  try {
    (void)faces_of_split(found, data, split, std::array<std::string, 2>{"train", "test"}, 1);
  } catch (const Error& error) {
    return error.what();
  }
  return "(no error)";
}

}  // namespace

TEST_CASE("split file: parts and paths are read back, also by hand, with CRLF, without a header") {
  const SplitFile split = parse_split(
      "\xEF\xBB\xBF" + std::string(kSplitTitle) +
          "\r\n# a word to the reader\r\ntest\ta b/1.jpg\r\n\r\ntrain\t2\t.jpg \r\nval\t3.jpg",
      "s.txt");
  CHECK(split.folds() == 0);
  REQUIRE(split.parts.size() == 3);
  CHECK(split.parts[0].name == "train");
  CHECK(split.parts[1].name == "val");
  CHECK(split.parts[2].name == "test");
  CHECK_FALSE(split.parts[2].fingerprint.has_value());
  CHECK(split.part_of.at("a b/1.jpg") == "test");
  CHECK(split.part_of.at("2\t.jpg ") == "train");
  const SplitFile folds = parse_split(
      kTitle +
          "# protocol leave-one-out\n# part 1: 1 faces, fingerprint 00000000000000ff, person 7\n"
          "0\ta\n1\tb\n2\tc\n",
      "s.txt");
  CHECK(folds.folds() == 3);
  CHECK(folds.protocol == "leave-one-out");
  CHECK(folds.parts[1].fingerprint.value_or(0) == 255);
  CHECK(folds.parts[1].note == "person 7");
}

TEST_CASE("split file: what is none, or was cut off, is refused with the place") {
  CHECK(refusal("path,age\n").find("s.txt is no split: expected the first line") !=
        std::string::npos);
  CHECK(refusal("").find("is no split") != std::string::npos);
  CHECK(refusal("# twinage split 2\n").find("of another version") != std::string::npos);
  CHECK(refusal(kTitle + std::string("train\ta\0b", 9)).find("is no split") != std::string::npos);
  CHECK(refusal(kTitle).find("lists no face") != std::string::npos);
  for (const char* line : {"a.jpg", "train", "train\t", "training\ta", "-1\ta", "01\ta", "1.0\ta",
                           "999999999\ta", "99999999999999999999999\ta", "\ta", " train\ta"})
    CHECK_MESSAGE(
        refusal(kTitle + "train\tx\n" + line + "\n").find("s.txt:3: expected train, val") !=
            std::string::npos,
        line);
  CHECK(refusal(kTitle + "train\ta\ntest\ta\n").find("s.txt:3: a is listed twice") !=
        std::string::npos);
  CHECK(refusal(kTitle + "train\ta\n0\tb\n").find("both folds and parts") != std::string::npos);
  CHECK(refusal(kTitle + "0\ta\n2\tb\n").find("fold 1 of 3 has no face") != std::string::npos);
  CHECK(refusal(kTitle + "# part test: 2 faces, fingerprint 0f\ntest\ta\n")
            .find("says that part test has 2 faces, and lists 1: it was cut off") !=
        std::string::npos);
  CHECK(refusal(kTitle + "# part test: two faces, fingerprint 0f\ntest\ta\n").find("s.txt:2") !=
        std::string::npos);
}

TEST_CASE("split file: a run's sides, with folds and without") {
  const SplitFile named = parse_split(kTitle + "train\ta\nval\tb\ntest\tc\n", "s.txt");
  CHECK(sides_of(named, 0).train == std::vector<std::string>{"train"});
  CHECK(sides_of(named, 0).val == std::vector<std::string>{"val"});
  CHECK(sides_of(named, 0).others == std::vector<std::string>{"test"});
  CHECK_THROWS_WITH_AS(sides_of(named, 1), doctest::Contains("has no folds"), UsageError);
  const SplitFile folds = parse_split(kTitle + "0\ta\n1\tb\n2\tc\n", "s.txt");
  CHECK(sides_of(folds, 1).train == std::vector<std::string>{"0", "2"});
  CHECK(sides_of(folds, 1).val.empty());
  CHECK(sides_of(folds, 1).others == std::vector<std::string>{"1"});
  CHECK_THROWS_WITH_AS(sides_of(folds, 3), doctest::Contains("folds 0 to 2, and no 3"), UsageError);
  CHECK_THROWS_WITH_AS(sides_of(parse_split(kTitle + "test\ta\n", "s.txt"), 0),
                       doctest::Contains("no part to train on"), UsageError);
}

TEST_CASE("split file: faces that are gone, changed or relabelled are an error in a line") {
  TemporaryFolder folder;
  make_faces(folder / "faces/a", 20, 1);
  make_faces(folder / "faces/b", 20, 2);
  const fs::path data = folder / "faces";
  FaceDataset found = find_faces(data);
  read_contents(found, 1);
  const SplitFile split = parse_split(to_text(make_split(found, data, {}).file), "s.txt");
  CHECK(refusal_of(found, data, split) == "(no error)");
  const std::vector<std::string> test = {"test"};
  const FaceDataset chosen = faces_of_split(find_faces(data), data, split, test, 2);
  CHECK(chosen.faces.size() == 8);
  for (const Face& face : chosen.faces) {
    CHECK(face.part == "test");
    CHECK(split.part_of.at(name_in_split(data, face.path)) == "test");
  }
  // Moved as a whole, or named another way: the same.
  fs::rename(data, folder / "moved");
  CHECK(refusal_of(find_faces(folder / "moved/"), folder / "moved/", split) == "(no error)");
  const fs::path before = fs::current_path();
  fs::current_path(folder / "moved/a");
  CHECK(refusal_of(find_faces(".."), "..", split) == "(no error)");
  fs::current_path(before);
  fs::rename(folder / "moved", data);
  // A label in a list, a picture, a file.
  FaceDataset older = find_faces(data);
  older.faces[0].age += 1;
  CHECK(contains(refusal_of(older, data, split), "are not what they were when it was made"));
  SplitFile unchecked = split;
  for (SplitPart& part : unchecked.parts) part.fingerprint.reset();
  CHECK(refusal_of(older, data, unchecked) == "(no error)");
  const fs::path first = found.faces[0].path, second = found.faces[1].path;
  const std::string picture = read_text_file(first);
  write_file_atomically(first, read_text_file(second));
  CHECK(contains(refusal_of(find_faces(data), data, split), "pictures differ (fingerprint"));
  write_file_atomically(first, "");
  std::string message = refusal_of(find_faces(data), data, split);
  CHECK(contains(message, "1 of the 40 faces of s.txt are not in"));
  CHECK(contains(message, "the file is empty (0 bytes)"));
  fs::remove(first);
  fs::remove(second);
  message = refusal_of(find_faces(data), data, split);
  CHECK(contains(message, "2 of the 40 faces"));
  CHECK(contains(message, name_in_split(data, first) + ": there is no such picture"));
  CHECK_FALSE(contains(message, "\n"));
}
