#include "train/faces/loader.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <limits>
#include <map>
#include <numeric>
#include <set>
#include <thread>

#include <doctest/doctest.h>

#include "core/error.h"
#include "core/files.h"
#include "core/tensor.h"
#include "tests/support/temporary_folder.h"

using namespace twinage;
using test::TemporaryFolder;

namespace {

// `count` faces of noise, 10 x 10 pixels; face i is i years old.
FaceDataset write_faces(const TemporaryFolder& folder, int count) {
  Random random(1);
  for (int i = 0; i < count; ++i) {
    Image image{10, 10, std::vector<std::uint8_t>(300)};
    for (auto& v : image.rgb) v = static_cast<std::uint8_t>(random.bits() & 0xFF);
    write_png(folder / fmt::format("{}_{}_0_{}.png", i, i % 2, i), image);
  }
  return find_faces(folder.path());
}

constexpr std::size_t kPlenty = std::size_t{1} << 20;

constexpr Index kSide = 10, kInput = 8;

// What the tower would see of a batch: shows a difference in the bytes and in the variations.
std::vector<float> shown(const Batch& batch) {
  const auto count = static_cast<Index>(batch.faces.size());
  REQUIRE(static_cast<Index>(batch.pixels.size()) == count * kSide * kSide * 3);
  REQUIRE(static_cast<Index>(batch.variations.size()) == count);
  Tensor images({count, kInput, kInput, 3});
  normalize_images(Context{}, images.view(), batch.pixels.data(), kSide, batch.variations.data());
  return {images.data(), images.data() + images.size()};
}

struct Recorded {
  std::vector<Index> faces;
  std::vector<float> images, ages;
};

std::vector<Recorded> record(Loader& loader, int steps) {
  std::vector<Recorded> recorded;
  for (int i = 0; i < steps; ++i) {
    const Batch& batch = loader.next();
    recorded.push_back({batch.faces, shown(batch), batch.ages});
  }
  return recorded;
}

bool same(const Recorded& a, const Recorded& b) {
  return a.faces == b.faces && a.ages == b.ages && a.images.size() == b.images.size() &&
         std::memcmp(a.images.data(), b.images.data(), a.images.size() * sizeof(float)) == 0;
}

const AugmentOptions kEverything{.zoom = 0.1F,
                                 .rotation = 5,
                                 .brightness = 0.1F,
                                 .contrast = 0.1F,
                                 .saturation = 0.1F,
                                 .erase = 0.5F};

}  // namespace

TEST_CASE("the store keeps the order, whatever the number of threads and the memory") {
  TemporaryFolder folder;
  FaceDataset dataset = write_faces(folder, 12);
  const std::vector<Face> before = dataset.faces;
  for (int threads : {1, 2, 3}) {
    for (std::size_t limit : {std::size_t{0}, std::size_t{5 * 8 * 8 * 3}, kPlenty}) {
      FaceStore store(dataset, 8, threads, limit);
      CHECK(store.size() == 12);
      CHECK(store.kept() == (limit == 0 ? 0 : limit == kPlenty ? 12 : 5));
      Image scratch;
      for (Index i = 0; i < store.size(); ++i) {
        const Face& face = dataset.faces[static_cast<std::size_t>(i)];
        REQUIRE(face.path == before[static_cast<std::size_t>(i)].path);
        const auto got = store.pixels(i, scratch);
        const Image want = resize_square(read_image(face.path), 8);
        REQUIRE(std::equal(got.begin(), got.end(), want.rgb.begin(), want.rgb.end()));
      }
      CHECK_THROWS_AS(store.pixels(12, scratch), Error);
      CHECK_THROWS_AS(store.pixels(-1, scratch), Error);
    }
  }
}

TEST_CASE("pictures that cannot be decoded are moved to skipped, also those beyond the memory") {
  TemporaryFolder folder;
  write_faces(folder, 6);
  write_file_atomically(folder / "2_0_0_2.png", "this is text");
  write_file_atomically(folder / "5_1_0_5.png", "GIF89a");
  FaceDataset dataset = find_faces(folder.path());
  REQUIRE(dataset.faces.size() == 6);
  std::vector<Index> progress;
  FaceStore store(dataset, 8, 2, 3 * 8 * 8 * 3, [&](Index done, Index total) {
    CHECK(total == 6);
    progress.push_back(done);
  });
  CHECK(store.size() == 4);
  CHECK(store.kept() == 2);
  REQUIRE(!progress.empty());
  CHECK(progress.back() == 6);
  CHECK(std::ranges::is_sorted(progress));
  std::vector<float> ages;
  for (const Face& face : dataset.faces) ages.push_back(face.age);
  CHECK(ages == std::vector<float>{0, 1, 3, 4});
  REQUIRE(dataset.skipped.size() == 2);
  CHECK(dataset.skipped[0].reason.find("not a picture") != std::string::npos);
  CHECK(dataset.skipped[1].reason.find("GIF") != std::string::npos);
  Image scratch;
  const Image want = resize_square(read_image(dataset.faces[1].path), 8);
  CHECK(std::ranges::equal(store.pixels(1, scratch), want.rgb));
}

TEST_CASE("a store without a single readable picture is an error") {
  TemporaryFolder folder;
  write_file_atomically(folder / "2_0_0_2.png", "this is text");
  FaceDataset dataset = find_faces(folder.path());
  CHECK_THROWS_AS(FaceStore(dataset, 8, 2, kPlenty), Error);
}

TEST_CASE("every epoch holds every face once, in another order; batches span epochs") {
  const Index faces = 7, batch = 3;
  const BatchPlan plan = shuffled_batches(faces, batch, 5);
  std::vector<Index> sequence;
  for (std::uint64_t step = 0; step < 14; ++step) {
    const std::vector<Index> indices = plan(step);
    REQUIRE(indices.size() == 3);
    sequence.insert(sequence.end(), indices.begin(), indices.end());
  }
  std::set<std::vector<Index>> orders;
  for (std::ptrdiff_t epoch = 0; epoch < 6; ++epoch) {
    std::vector<Index> order(sequence.begin() + epoch * faces,
                             sequence.begin() + (epoch + 1) * faces);
    orders.insert(order);
    std::ranges::sort(order);
    for (Index i = 0; i < faces; ++i) CHECK(order[static_cast<std::size_t>(i)] == i);
  }
  CHECK(orders.size() == 6);
  // Asked out of order, by another closure: the same.
  const BatchPlan again = shuffled_batches(faces, batch, 5);
  for (std::uint64_t step : {13U, 2U, 9U, 0U}) CHECK(again(step) == plan(step));
  CHECK(shuffled_batches(faces, batch, 6)(0) != plan(0));
  CHECK(shuffled_batches(2, 5, 1)(3).size() == 5);  // a batch larger than an epoch
  CHECK_THROWS_AS(shuffled_batches(0, 1, 1), Error);
}

TEST_CASE("shuffles are even: every face comes first about as often") {
  std::map<Index, int> first;
  const BatchPlan plan = shuffled_batches(4, 4, 9);
  for (std::uint64_t epoch = 0; epoch < 2000; ++epoch) ++first[plan(epoch)[0]];
  for (Index i = 0; i < 4; ++i) {
    CHECK(first[i] > 400);
    CHECK(first[i] < 600);
  }
}

namespace {

// How often each face comes in this epoch of batches that are epochs.
std::vector<int> times_in_epoch(const BatchPlan& plan, std::uint64_t epoch, std::size_t faces) {
  std::vector<int> times(faces);
  const std::vector<Index> batch = plan(epoch);
  REQUIRE(batch.size() == faces);
  for (const Index i : batch) ++times[static_cast<std::size_t>(i)];
  return times;
}

}  // namespace

TEST_CASE("weighted epochs: as long as others, each face as often as its weight in the mean") {
  const std::vector<double> weights{0.1, 2.5, 0.45, 1, 0.2, 1.75};
  const BatchPlan plan = weighted_batches(weights, 6, 3);
  std::vector<double> total(6);
  std::vector<int> missing(6), longest(6);
  const int epochs = 2000;
  for (int epoch = 0; epoch < epochs; ++epoch) {
    const auto times = times_in_epoch(plan, static_cast<std::uint64_t>(epoch), 6);
    for (std::size_t i = 0; i < 6; ++i) {
      REQUIRE(times[i] >= static_cast<int>(std::floor(weights[i])));
      REQUIRE(times[i] <= static_cast<int>(std::ceil(weights[i])));
      total[i] += times[i];
      missing[i] = times[i] > 0 ? 0 : missing[i] + 1;
      longest[i] = std::max(longest[i], missing[i]);
    }
  }
  for (std::size_t i = 0; i < 6; ++i) {
    CAPTURE(i);
    CHECK(total[i] / epochs == doctest::Approx(weights[i]).epsilon(0.01));
    CHECK(longest[i] < 3 / weights[i]);  // none is lost for long
  }
}

TEST_CASE("weighted epochs: a function of the step and the seed; batches span them") {
  const std::vector<double> weights{0.5, 1.5, 0.25, 1.75, 1, 1, 1};
  const BatchPlan plan = weighted_batches(weights, 3, 5), again = weighted_batches(weights, 3, 5);
  const BatchPlan whole = weighted_batches(weights, 7, 5);
  std::vector<Index> sequence;
  for (std::uint64_t step = 0; step < 7; ++step)
    for (const Index i : plan(step)) sequence.push_back(i);
  for (const std::uint64_t epoch : {2, 0, 1}) {
    const auto begin = sequence.begin() + static_cast<std::ptrdiff_t>(7 * epoch);
    CHECK(whole(epoch) == std::vector<Index>(begin, begin + 7));
  }
  for (const std::uint64_t step : {1'000'003U, 2U, 9U, 0U}) CHECK(again(step) == plan(step));
  CHECK(weighted_batches(weights, 7, 6)(0) != whole(0));
}

TEST_CASE("weighted epochs: weights of one are the epochs without weights, to the bit") {
  const std::vector<double> ones(1000, 1.0);
  const BatchPlan weighted = weighted_batches(ones, 64, 7), plain = shuffled_batches(1000, 64, 7);
  for (std::uint64_t step = 0; step < 40; ++step) CHECK(weighted(step) == plain(step));
}

TEST_CASE("weighted epochs: what cannot be weights is an error") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const std::vector<double>& bad :
       {std::vector<double>{}, {0.5, 0.5}, {2, 1}, {-1, 3}, {nan, 1}, {3, -1}})
    CHECK_THROWS_WITH_AS((void)weighted_batches(bad, 2, 1), doctest::Contains("expected"), Error);
  CHECK_THROWS_AS((void)weighted_batches(std::vector<double>{1, 1}, 0, 1), Error);
}

TEST_CASE("batches do not depend on the number of workers, the depth, the memory or the start") {
  TemporaryFolder folder;
  FaceDataset dataset = write_faces(folder, 11);
  const FaceStore store(dataset, 10, 2, kPlenty), small(dataset, 10, 1, 4 * 300);
  const auto plan = shuffled_batches(11, 4, 2);
  Loader reference(dataset, store, plan, 8, kEverything, 7, 0, 1, 1);
  const std::vector<Recorded> want = record(reference, 12);
  CHECK(want[0].images.size() == 4 * 8 * 8 * 3);
  CHECK_FALSE(same(want[0], want[1]));
  for (int workers : {1, 2, 3})
    for (int depth : {1, 2, 5}) {
      Loader loader(dataset, workers == 2 ? small : store, plan, 8, kEverything, 7, 0, workers,
                    depth);
      const std::vector<Recorded> got = record(loader, 12);
      for (std::size_t i = 0; i < want.size(); ++i) REQUIRE(same(got[i], want[i]));
    }
  Loader resumed(dataset, store, plan, 8, kEverything, 7, 5, 2, 3);
  const Batch& first = resumed.next();
  CHECK(first.step == 5);
  CHECK(same({first.faces, shown(first), first.ages}, want[5]));
  Loader other_seed(dataset, store, plan, 8, kEverything, 8, 0, 2, 2);
  CHECK_FALSE(same(record(other_seed, 1)[0], want[0]));
}

TEST_CASE("a face that stands in a batch twice is varied twice; labels go with their faces") {
  TemporaryFolder folder;
  FaceDataset dataset = write_faces(folder, 3);
  const FaceStore store(dataset, 10, 1, kPlenty);
  Loader loader(
      dataset, store,
      [](std::uint64_t) {
        return std::vector<Index>{1, 1, 2};
      },
      8, kEverything, 1, 0, 1, 1);
  const Batch& batch = loader.next();
  CHECK(batch.ages == std::vector<float>{1, 1, 2});
  CHECK(batch.genders == std::vector<std::int32_t>{1, 1, 0});
  const std::vector<float> images = shown(batch);
  const float *a = images.data(), *b = a + kInput * kInput * 3;
  CHECK_FALSE(std::equal(a, b, b));
}

TEST_CASE("the batch in hand stays as it is while workers go on") {
  TemporaryFolder folder;
  FaceDataset dataset = write_faces(folder, 5);
  const FaceStore store(dataset, 10, 1, kPlenty);
  Loader loader(dataset, store, shuffled_batches(5, 2, 1), 8, {}, 1, 0, 3, 2);
  for (int i = 0; i < 5; ++i) {
    const Batch& batch = loader.next();
    const std::vector<float> before = shown(batch);
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    REQUIRE(shown(batch) == before);
    REQUIRE(batch.step == static_cast<std::uint64_t>(i));
  }
}

TEST_CASE("batches of different sizes, also empty ones") {
  TemporaryFolder folder;
  FaceDataset dataset = write_faces(folder, 5);
  const FaceStore store(dataset, 10, 1, kPlenty);
  const auto plan = [](std::uint64_t step) {
    std::vector<Index> faces;
    for (Index i = static_cast<Index>(step) * 2;
         i < std::min<Index>(5, static_cast<Index>(step) * 2 + 2); ++i)
      faces.push_back(i);
    return faces;
  };
  Loader loader(dataset, store, plan, 8, {}, 1, 0, 2, 1);
  for (const std::size_t count : {2U, 2U, 1U}) {
    const Batch& batch = loader.next();
    CHECK(batch.faces.size() == count);
    CHECK(shown(batch).size() == count * kInput * kInput * 3);
  }
  const Batch& empty = loader.next();
  CHECK(empty.faces.empty());
  CHECK(empty.pixels.empty());
}

TEST_CASE("what fails in a worker is thrown by next(), in order, naming the file") {
  TemporaryFolder folder;
  FaceDataset dataset = write_faces(folder, 6);
  const FaceStore store(dataset, 10, 1, 0);
  write_file_atomically(dataset.faces[4].path, "overwritten");
  const auto plan = [](std::uint64_t step) {
    return std::vector<Index>{static_cast<Index>(step) * 2, static_cast<Index>(step) * 2 + 1};
  };
  Loader loader(dataset, store, plan, 8, {}, 1, 0, 2, 4);
  CHECK(loader.next().ages[0] == 0);
  CHECK(loader.next().ages[0] == 2);
  for (int again = 0; again < 2; ++again) {
    try {
      loader.next();
      FAIL("expected an error");
    } catch (const Error& error) {
      CHECK(std::string(error.what()).find(dataset.faces[4].path) != std::string::npos);
    }
  }
  Loader outside(
      dataset, store, [](std::uint64_t) { return std::vector<Index>{6}; }, 8, {}, 1, 0, 1, 1);
  CHECK_THROWS_AS(outside.next(), Error);
}

TEST_CASE("a loader stops at once, used or not") {
  TemporaryFolder folder;
  FaceDataset dataset = write_faces(folder, 5);
  const FaceStore store(dataset, 10, 1, kPlenty);
  for (int used = 0; used < 3; ++used)
    for (int workers : {1, 4}) {
      Loader loader(dataset, store, shuffled_batches(5, 2, 1), 8, {}, 1, 0, workers, 3);
      record(loader, used);
    }
  CHECK_THROWS_AS(Loader(dataset, store, shuffled_batches(5, 2, 1), 11, {}, 1, 0, 1, 1), Error);
  CHECK_THROWS_AS(Loader(dataset, store, shuffled_batches(5, 2, 1), 8, {}, 1, 0, 0, 1), Error);
}
