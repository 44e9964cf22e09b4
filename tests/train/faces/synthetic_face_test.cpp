#include "train/faces/synthetic_face.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <unistd.h>

#include "core/error.h"
#include "core/files.h"
#include "train/faces/face_dataset.h"
#include "train/faces/synthetic/traits.h"

using namespace twinage;
namespace fs = std::filesystem;

namespace {

struct TemporaryFolder {
  fs::path path;
  explicit TemporaryFolder(const std::string& name)
      : path(fs::temp_directory_path() / fmt::format("twinage_synth_{}_{}", name, getpid())) {
    fs::remove_all(path);
  }
  ~TemporaryFolder() { fs::remove_all(path); }
};

std::map<std::string, std::vector<std::byte>> contents(const fs::path& folder) {
  std::map<std::string, std::vector<std::byte>> files;
  for (const auto& entry : fs::directory_iterator(folder))
    files[entry.path().filename()] = read_binary_file(entry.path(), 1 << 20);
  return files;
}

// Mean over people of a trait at an age.
template <class Trait>
double mean_trait(int age, int gender, Trait trait) {
  constexpr int kPeople = 400;
  double sum = 0;
  for (int i = 0; i < kPeople; ++i) {
    Random identity(5, static_cast<std::uint64_t>(i));
    sum += trait(synthetic::draw_traits(static_cast<float>(age), gender, identity));
  }
  return sum / kPeople;
}

double grey(const Image& image, Index y, Index x) {
  const auto* p = image.pixel(y, x);
  return (p[0] + p[1] + p[2]) / 3.0;
}

// Mean size of the change from a pixel to the next in the middle of the picture: lines in the skin.
double roughness(const Image& image) {
  double sum = 0;
  Index count = 0;
  for (Index y = image.height / 5; y < image.height * 3 / 4; ++y)
    for (Index x = image.width * 2 / 5; x < image.width * 3 / 5; ++x, ++count)
      sum += std::abs(grey(image, y, x) - grey(image, y - 1, x));
  return sum / static_cast<double>(count);
}

}  // namespace

TEST_CASE("a face is a function of seed and index") {
  const SyntheticFace face = synthetic_face(3, 11);
  const Image image = render_synthetic_face(face, 64).image;
  CHECK(image.width == 64);
  CHECK(image.rgb.size() == 64U * 64 * 3);
  CHECK(image.rgb == render_synthetic_face(synthetic_face(3, 11), 64).image.rgb);
  CHECK(image.rgb != render_synthetic_face(synthetic_face(3, 12), 64).image.rgb);
  CHECK(image.rgb != render_synthetic_face(synthetic_face(4, 11), 64).image.rgb);
  SyntheticFace older = face;
  older.age = face.age < 50 ? 80 : 8;
  CHECK(image.rgb != render_synthetic_face(older, 64).image.rgb);
  SyntheticFace other = face;
  other.gender = 1 - face.gender;
  CHECK(image.rgb != render_synthetic_face(other, 64).image.rgb);
}

TEST_CASE("pictures have light, dark and colour" * doctest::test_suite("long")) {
  for (std::uint64_t i = 0; i < 20; ++i) {
    const Image image = render_synthetic_face(synthetic_face(9, i), 48).image;
    double sum = 0, square = 0;
    for (const std::uint8_t v : image.rgb) sum += v, square += static_cast<double>(v) * v;
    const double n = static_cast<double>(image.rgb.size()), mean = sum / n;
    CHECK(mean > 25);
    CHECK(mean < 235);
    CHECK(std::sqrt(square / n - mean * mean) > 12);
  }
}

TEST_CASE("any size within the limits, nothing beyond them") {
  const SyntheticFace face = synthetic_face(1, 1);
  for (const Index side : {kMinSyntheticSide, Index{31}, Index{75}})
    CHECK(render_synthetic_face(face, side).image.height == side);
  CHECK_THROWS_AS(render_synthetic_face(face, kMinSyntheticSide - 1), Error);
  CHECK_THROWS_AS(render_synthetic_face(face, kMaxSyntheticSide + 1), Error);
  CHECK_THROWS_AS(render_synthetic_face({1, 1, 101, 0}, 32), Error);
  CHECK_THROWS_AS(render_synthetic_face({1, 1, 30, 2}, 32), Error);
  for (const int age : {0, 100})
    for (const int gender : {0, 1})
      CHECK(render_synthetic_face({1, 1, age, gender}, 32).image.width == 32);
}

TEST_CASE("ages and genders are spread as in public sets") {
  constexpr int kFaces = 20000;
  std::array<int, 10> decades{};
  int women = 0;
  for (int i = 0; i < kFaces; ++i) {
    const SyntheticFace face = synthetic_face(1, static_cast<std::uint64_t>(i));
    REQUIRE(face.age >= 0);
    REQUIRE(face.age < 96);
    REQUIRE((face.gender == 0 || face.gender == 1));
    ++decades[static_cast<std::size_t>(face.age / 10)];
    women += face.gender;
  }
  CHECK(women / double{kFaces} == doctest::Approx(0.48).epsilon(0.03));
  CHECK(*std::max_element(decades.begin(), decades.end()) == decades[2]);
  CHECK(decades[2] + decades[3] > kFaces / 3);
  for (std::size_t d = 0; d < 9; ++d) CHECK(decades[d] > kFaces / 200);
}

TEST_CASE("names follow UTKFace and are unique") {
  const std::regex pattern(R"(\d{1,3}_[01]_4_\d{17}\.jpg\.chip\.jpg)");
  std::set<std::string> names;
  const std::uint64_t indices[] = {0, 1, 59, 60, 3600, 86399, 86400, 9'999'999};
  for (const std::uint64_t seed : {0ULL, 1ULL, 999ULL})
    for (const std::uint64_t index : indices) {
      const std::string name = synthetic_face_name({seed, index, 25, 1});
      CHECK(std::regex_match(name, pattern));
      names.insert(name);
    }
  CHECK(names.size() == 3 * std::size(indices));
  CHECK(synthetic_face_name({7, 86400 + 61, 5, 0}) == "5_0_4_20000102000101007.jpg.chip.jpg");
}

TEST_CASE("a folder holds the same bytes for any number of threads, and the loader reads it") {
  std::map<std::string, std::vector<std::byte>> first;
  for (const int threads : {1, 2, 3}) {
    TemporaryFolder folder("threads");
    Index last = 0;
    write_synthetic_faces({folder.path, 21, 6, 40, threads}, [&](Index done, Index total) {
      CHECK(done > last);
      CHECK(total == 21);
      last = done;
    });
    CHECK(last == 21);
    const auto files = contents(folder.path);
    CHECK(files.size() == 21);
    if (threads == 1) first = files;
    CHECK(files == first);
    const FaceDataset dataset = find_faces(folder.path);
    CHECK(dataset.faces.size() == 21);
    CHECK(dataset.skipped.empty());
    double ages = 0, expected = 0;
    for (const Face& face : dataset.faces) ages += face.age + 1000.0 * face.gender;
    for (std::uint64_t i = 0; i < 21; ++i)
      expected += synthetic_face(6, i).age + 1000.0 * synthetic_face(6, i).gender;
    CHECK(ages == expected);
  }
}

TEST_CASE("a folder that holds anything is left alone") {
  TemporaryFolder folder("taken");
  fs::create_directories(folder.path);
  std::ofstream(folder.path / "mine.txt") << "mine";
  CHECK_THROWS_AS(write_synthetic_faces({folder.path, 2, 1, 32, 1}), Error);
  CHECK(contents(folder.path).size() == 1);
  CHECK_THROWS_AS(write_synthetic_faces({folder.path / "mine.txt", 2, 1, 32, 1}), Error);
  CHECK_THROWS_AS(write_synthetic_faces({folder.path / "new", 0, 1, 32, 1}), Error);
}

TEST_CASE("cues move with age on average, and overlap between people" *
          doctest::test_suite("long")) {
  using synthetic::Traits;
  for (const int gender : {0, 1}) {
    auto rises = [&](auto trait, int from, int to) {
      return mean_trait(to, gender, trait) - mean_trait(from, gender, trait);
    };
    CHECK(rises([](const Traits& t) { return t.chin / t.crown; }, 2, 20) > 0.2);
    CHECK(rises([](const Traits& t) { return t.eye_width; }, 2, 20) < -0.03);
    CHECK(rises([](const Traits& t) { return t.grey; }, 30, 75) > 0.3);
    CHECK(rises([](const Traits& t) { return t.forehead_lines; }, 25, 70) > 0.4);
    CHECK(rises([](const Traits& t) { return t.nasolabial; }, 20, 70) > 0.4);
    CHECK(rises([](const Traits& t) { return t.jowls; }, 40, 80) > 0.3);
    CHECK(rises([](const Traits& t) { return t.lower_lip; }, 25, 80) < -0.01);
  }
  // Ten years are hidden by the spread between people in a good share of the pairs.
  int wrong = 0;
  for (std::uint64_t i = 0; i < 400; ++i) {
    Random young(21, 2 * i), old(21, 2 * i + 1);
    wrong += synthetic::draw_traits(40, 0, young).forehead_lines >
             synthetic::draw_traits(50, 0, old).forehead_lines;
  }
  CHECK(wrong > 30);
  CHECK(wrong < 160);
}

TEST_CASE("cues of gender move, and overlap" * doctest::test_suite("long")) {
  using synthetic::Traits;
  auto differ = [](int age, auto trait) {
    return mean_trait(age, 0, trait) - mean_trait(age, 1, trait);
  };
  CHECK(differ(30, [](const Traits& t) { return t.jaw_square; }) > 0.1);
  CHECK(differ(30, [](const Traits& t) { return t.brow_thickness; }) > 0.01);
  CHECK(differ(30, [](const Traits& t) { return t.hair_length; }) < -0.2);
  CHECK(differ(30, [](const Traits& t) { return t.beard; }) > 0.1);
  CHECK(std::abs(differ(4, [](const Traits& t) { return t.jaw_square; })) < 0.08);
  CHECK(differ(8, [](const Traits& t) { return t.stubble; }) == 0);
}

TEST_CASE("the same person keeps what does not age") {
  for (std::uint64_t i = 0; i < 20; ++i) {
    Random a(2, i), b(2, i), c(2, i);
    const auto young = synthetic::draw_traits(20, 1, a), old = synthetic::draw_traits(70, 1, b);
    const auto man = synthetic::draw_traits(20, 0, c);
    CHECK(young.texture == old.texture);
    CHECK(young.iris.r == old.iris.r);
    CHECK(young.wave == old.wave);
    CHECK(young.iris.r == man.iris.r);
    CHECK(young.clothes.g == old.clothes.g);
  }
}

TEST_CASE("pictures of old skin are rougher" * doctest::test_suite("long")) {
  double child = 0, middle = 0, old = 0;
  for (std::uint64_t i = 0; i < 16; ++i) {
    auto at = [&](int age) { return roughness(render_synthetic_face({8, i, age, 1}, 120).image); };
    child += at(8), middle += at(45), old += at(80);
  }
  CHECK(middle > 1.02 * child);
  CHECK(old > 1.05 * middle);
}
