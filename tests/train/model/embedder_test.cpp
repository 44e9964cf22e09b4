#include "train/model/embedder.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

#include <doctest/doctest.h>

#include "layers/initialize.h"
#include "siamese/objective.h"
#include "tests/support/temporary_folder.h"

using namespace twinage;

namespace {

// The smallest network that has every block.
const Preset kPreset{"narrow", "inception_v3_compact", 65, 67, 0.1};
constexpr Index kFaces = 10, kWidth = 16;

bool same_bits(std::span<const float> a, std::span<const float> b) {
  return a.size() == b.size() &&
         (a.empty() || std::memcmp(a.data(), b.data(), a.size_bytes()) == 0);
}

std::span<const float> numbers(const Tensor& x) {
  return {x.data(), static_cast<std::size_t>(x.size())};
}

bool same_bits(const Embedded& a, const Embedded& b) {
  return a.done == b.done && same_bits(a.female, b.female) && a.z.shape() == b.z.shape() &&
         same_bits(numbers(a.z), numbers(b.z)) && a.ages.shape() == b.ages.shape() &&
         same_bits(numbers(a.ages), numbers(b.ages));
}

ByTask<HeadForm> forms(const Heads& heads, const std::string& age_loss) {
  ObjectiveOptions options{.heads = heads};
  options.head[Task::age].loss = {age_loss};
  return head_forms(options, kWidth);
}

// Faces of noise, a network with these heads, and the order in which its faces are asked for.
struct Rig {
  const test::TemporaryFolder folder;
  FaceDataset dataset;
  std::unique_ptr<FaceStore> store;
  std::vector<Index> faces{0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
  Engine engine{{Device::cpu, 2}};
  TwinNetwork network;
  EmbedOptions options;

  explicit Rig(const Heads& heads, const std::string& age_loss = "cross-entropy")
      : network(kPreset, heads, forms(heads, age_loss)) {
    Random random(5);
    for (Index i = 0; i < kFaces; ++i) {
      Image image{kPreset.load, kPreset.load, {}};
      for (Index j = 0; j < 3 * kPreset.load * kPreset.load; ++j)
        image.rgb.push_back(static_cast<std::uint8_t>(random.bits() & 0xFF));
      write_png(folder / fmt::format("{}_0_0_1.png", 10 + i), image);
    }
    dataset = find_faces(folder.path());
    store = std::make_unique<FaceStore>(dataset, kPreset.load, 2, std::size_t{1} << 20);
    initialize(network.parameters(), 7);
    options.batch = 4;
  }
  void embed(Embedded& so_far) { embed_more(engine, network, *store, faces, options, so_far); }
  Embedded embedded() {
    Embedded all;
    embed(all);
    return all;
  }
};

const Heads kAll{Task::embedding, Task::gender, Task::age};

}  // namespace

TEST_CASE("embedding that was paused goes on to the same bits, whatever the heads") {
  for (const Heads& heads : {kPaperHeads, kAll, Heads{Task::age}, Heads{Task::embedding}}) {
    Rig rig(heads);
    const Embedded whole = rig.embedded();
    CHECK(whole.done == kFaces);

    Index pauses = 0;
    rig.options.pause = [&](const Embedded& so_far) {
      ++pauses;
      CHECK(so_far.done == 4 * pauses);
      return true;
    };
    Embedded parts = rig.embedded();
    CHECK(parts.done == 4);
    if (has(heads, Task::gender)) CHECK(parts.female[4] == 0);
    if (has(heads, Task::age)) CHECK(parts.ages.view().pixel(4)[30] == 0);
    rig.embed(parts);
    CHECK(parts.done == 8);
    CHECK_FALSE(same_bits(parts, whole));
    rig.embed(parts);
    CHECK(pauses == 2);  // not at the end
    CHECK(same_bits(parts, whole));
    rig.embed(parts);  // nothing is left
    CHECK(same_bits(parts, whole));
  }
}

TEST_CASE("embedding goes on only with what the same network said of as many faces") {
  Rig rig(kAll);
  const auto some = [](Index faces, Index width, Index ages, std::size_t genders, Index done) {
    return Embedded{Tensor(matrix(faces, width)), Tensor(matrix(faces, ages)),
                    std::vector<float>(genders), done};
  };
  Embedded fits = some(kFaces, kWidth, kAges, 10, 4);
  CHECK_NOTHROW(rig.embed(fits));
  for (Embedded& other :
       std::array{some(3, kWidth, kAges, 10, 2), some(kFaces, 9, kAges, 10, 2),
                  some(kFaces, kWidth, 9, 10, 2), some(kFaces, kWidth, kAges, 9, 2),
                  some(kFaces, kWidth, kAges, 10, 11)})
    CHECK_THROWS_AS(rig.embed(other), Error);
  Embedded of_two_heads{Tensor(matrix(kFaces, kWidth)), {}, std::vector<float>(10), 2};
  CHECK_THROWS_AS(rig.embed(of_two_heads), Error);
}

TEST_CASE("what a network has no head for is absent, and what it has is the same without it") {
  const Embedded all = Rig(kAll).embedded(), paper = Rig(kPaperHeads).embedded(),
                 age = Rig({Task::age}).embedded();
  CHECK(all.z.shape() == matrix(kFaces, kWidth));
  CHECK(all.ages.shape() == matrix(kFaces, kAges));
  CHECK(same_bits(numbers(all.z), numbers(paper.z)));
  CHECK(same_bits(all.female, paper.female));
  CHECK(paper.ages.empty());
  CHECK(age.z.empty());
  for (const float female : age.female) CHECK(std::isnan(female));
  for (Index i = 0; i < kFaces; ++i) {
    const float* p = all.ages.view().pixel(i);
    CHECK(*std::min_element(p, p + kAges) >= 0);
    CHECK(std::accumulate(p, p + kAges, 0.0) == doctest::Approx(1).epsilon(1e-5));
  }
}

TEST_CASE("what an age head says is read as its loss has it, beside an embedding that stays") {
  const Embedded paper = Rig(kPaperHeads).embedded();
  for (const std::string& loss : loss_names(Task::age)) {
    CAPTURE(loss);
    Rig rig(kAll, loss);
    const Embedded all = rig.embedded();
    CHECK(same_bits(numbers(all.z), numbers(paper.z)));
    const HeadForm form = head_form(Task::age, {loss}, kWidth);
    REQUIRE(all.ages.shape() == matrix(kFaces, form.said()));
    for (Index i = 0; i < kFaces; ++i) {
      const float* said = all.ages.view().pixel(i);
      const double sum = std::accumulate(said, said + form.said(), 0.0);
      if (form.ages == AgeSaid::distribution) CHECK(sum == doctest::Approx(1).epsilon(1e-5));
      // Of a network that has learnt nothing: about the middle.
      if (form.ages == AgeSaid::number) CHECK((sum > 10 && sum < 80));
    }
    rig.options.pause = [](const Embedded&) { return true; };
    Embedded parts = rig.embedded();
    CHECK(parts.done == 4);
    while (parts.done < kFaces) rig.embed(parts);
    CHECK(same_bits(parts, all));
  }
}

TEST_CASE("the probabilities of ages, and the numbers of years, are means over the looks") {
  for (const char* loss : {"cross-entropy", "regression"}) {
    Rig rig(kAll, loss);
    rig.options.zooms = false;
    const Embedded both = rig.embedded();
    rig.options.mirror = false;
    const Embedded straight = rig.embedded();
    // The mirror images are faces of their own.
    for (Face& face : rig.dataset.faces) {
      const Image image = read_image(face.path);
      Image mirrored = image;
      for (Index y = 0; y < image.height; ++y)
        for (Index x = 0; x < image.width; ++x)
          std::copy_n(image.pixel(y, image.width - 1 - x), 3, mirrored.pixel(y, x));
      write_png(face.path, mirrored);
    }
    rig.store = std::make_unique<FaceStore>(rig.dataset, kPreset.load, 2, std::size_t{1} << 20);
    const Embedded mirrored = rig.embedded();
    double apart = 0;
    for (Index i = 0; i < both.ages.size(); ++i) {
      const float a = straight.ages.data()[i], b = mirrored.ages.data()[i];
      CHECK(both.ages.data()[i] == doctest::Approx((a + b) / 2).epsilon(1e-4));
      apart = std::max(apart, static_cast<double>(std::fabs(a - b)));
    }
    CHECK(apart > 1e-4);  // or nothing would have been told
  }
}
