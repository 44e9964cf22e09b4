#include <algorithm>
#include <cmath>

#include <doctest/doctest.h>

#include "core/error.h"
#include "tests/siamese/readouts/example_faces.h"

using namespace twinage;
using namespace twinage::test;

TEST_CASE("read-outs: at the ends of the ages there is no pull inwards beyond the noise") {
  const Gallery gallery = gallery_of(synthetic_faces(1, 4000, 4, 0.1));
  const Calibration calibration = calibrated_on(synthetic_faces(2, 300, 4, 0.1));
  for (const ReadoutKind kind : comparing_readouts()) {
    CAPTURE(to_string(kind));
    const auto young = estimate_one(gallery, calibration, {kind, 30}, {0.1F, 0, 0, 0});
    CHECK(young.age <= 2.5F);
    CHECK(young.low >= 0);
    const auto old = estimate_one(gallery, calibration, {kind, 30}, {8.8F, 0, 0, 0});
    CHECK(old.age >= 86.5F);
  }
}

TEST_CASE("read-outs: few, one, equal and identical references") {
  const Calibration calibration = plain_calibration();
  for (const ReadoutKind kind : comparing_readouts()) {
    CAPTURE(to_string(kind));
    const ReadoutOptions options{kind, 30};
    const auto few = estimate_one(line_gallery({20, 30, 40}), calibration, options, {3, 0});
    CHECK(few.nearest.size() == 3);
    CHECK(few.nearest[0].reference == 1);
    CHECK(std::fabs(few.age - 30) < 3);

    const auto single = estimate_one(line_gallery({25}), calibration, options, {7, 1});
    CHECK(single.age == 25);
    CHECK(single.low == 24.5F);
    CHECK(single.high == 25.5F);
    CHECK(single.nearest.size() == 1);

    const auto equal = estimate_one(line_gallery({33, 33, 33, 33}), calibration, options, {3, 0});
    CHECK(equal.age == 33);

    Gallery identical = line_gallery({10, 20, 30, 80});
    identical.embeddings.fill(1);
    for (const float far : {1.0F, 5.0F}) {
      const auto estimate = estimate_one(identical, calibration, options, {far, 1});
      CHECK(estimate.age >= 10);
      CHECK(estimate.age <= 80);
      CHECK(estimate.low <= estimate.age);
      CHECK(estimate.high >= estimate.age);
    }
  }
}

TEST_CASE("read-outs: the unit of distance does not matter where nothing was calibrated") {
  for (const ReadoutKind kind : {ReadoutKind::knn, ReadoutKind::prototype}) {
    CAPTURE(to_string(kind));
    const auto read = [&](float unit) {
      Faces faces = synthetic_faces(14, 600, 2, 0.5);
      for (Index i = 0; i < faces.z.size(); ++i) faces.z.data()[i] *= unit;
      return estimate_one(gallery_of(std::move(faces)), Calibration(), {kind, 30}, {3 * unit, 0});
    };
    const AgeEstimate one = read(1), other = read(8);
    CHECK(other.age == one.age);
    CHECK(other.low == doctest::Approx(one.low).epsilon(1e-4));
    CHECK(other.high == doctest::Approx(one.high).epsilon(1e-4));
    CHECK(one.low < one.age - 1);
  }
}

TEST_CASE("read-outs: errors name the row that is not finite and what the gallery lacks") {
  const TestContext ctx;
  const Gallery gallery = line_gallery({20, 30, 40});
  const Calibration calibration = plain_calibration();
  for (const ReadoutKind kind : comparing_readouts()) {
    const AgeReadout readout(gallery, calibration, {kind, 30});
    CHECK(readout.estimate(ctx, {.z = {nullptr, matrix(0, 2)}}).empty());
    const std::vector<float> z{1, 2, 3, 4, std::nanf(""), 6};
    CHECK_THROWS_WITH_AS((void)readout.estimate(ctx, {.z = {z.data(), matrix(3, 2)}}),
                         doctest::Contains("row 2 of the queries"), Error);
    const std::vector<float> far{1, 2, 3e38F, -3e38F};
    CHECK_THROWS_WITH_AS((void)readout.estimate(ctx, {.z = {far.data(), matrix(2, 2)}}),
                         doctest::Contains("row 1 of the queries"), Error);
    CHECK_THROWS_AS((void)readout.estimate(ctx, {.z = {z.data(), matrix(2, 3)}}), Error);
  }
  CHECK_THROWS_AS(AgeReadout(Gallery(), calibration, {}), Error);
  CHECK_THROWS_AS(AgeReadout(gallery, Calibration(), {ReadoutKind::comparison, 30}), Error);
  CHECK_THROWS_AS(AgeReadout(gallery, calibration, {ReadoutKind::knn, 0}), Error);
  CHECK_THROWS_AS(AgeReadout(gallery, calibration, {static_cast<ReadoutKind>(99), 30}), Error);
  Calibration of_another = calibration;
  of_another.interval_scales = {{ReadoutKind::comparison, 1.0F}};
  CHECK_NOTHROW(AgeReadout(gallery, of_another, {ReadoutKind::comparison, 30}));
  CHECK_THROWS_WITH_AS(AgeReadout(gallery, of_another, {ReadoutKind::knn, 30}),
                       doctest::Contains("the intervals of knn are not calibrated"), Error);
  Gallery broken = line_gallery({20, 30, 40});
  broken.embeddings.data()[3] = std::nanf("");
  CHECK_THROWS_WITH_AS(AgeReadout(broken, calibration, {}),
                       doctest::Contains("row 1 of the gallery"), Error);
}

TEST_CASE("read-outs: the same bits for any number of threads and when asked again") {
  const Gallery gallery = gallery_of(synthetic_faces(3, 500, 8, 0.2));
  const Calibration calibration = calibrated_on(synthetic_faces(4, 200, 8, 0.2));
  const Faces queries = synthetic_faces(5, 37, 8, 0.2);
  const TestContext contexts[] = {TestContext(0, 1), TestContext(0, 2), TestContext(0, 3)};
  const Tensor ages = gaussian_heads({queries.ages.begin(), queries.ages.end()}, 5);
  Tensor numbers(matrix(37, 1));
  numbers.copy_from(queries.ages.data(), 37);
  for (const ReadoutRow& read : readout_table()) {
    const bool number = read.needs.ages == AgeSaid::number;
    const FaceOutputs outputs{queries.z.view(), number ? numbers.view() : ages.view()};
    const AgeReadout readout(gallery, calibration, {read.kind, 30});
    const auto first = readout.estimate(contexts[0], outputs);
    for (const TestContext& ctx : contexts) {
      const auto again = readout.estimate(ctx, outputs);
      REQUIRE(again.size() == first.size());
      for (std::size_t i = 0; i < first.size(); ++i) {
        CHECK(again[i].age == first[i].age);
        CHECK(again[i].low == first[i].low);
        CHECK(again[i].high == first[i].high);
        for (std::size_t n = 0; n < first[i].nearest.size(); ++n)
          CHECK(again[i].nearest[n].reference == first[i].nearest[n].reference);
      }
    }
  }
}

namespace {

// The gallery without these references, whose order stays.
Gallery lacking(const Gallery& gallery, const std::vector<Index>& references) {
  Gallery rest;
  std::vector<float> embeddings;
  const Index width = gallery.embeddings.shape().c;
  for (Index r = 0; r < gallery.embeddings.shape().n; ++r) {
    if (std::ranges::find(references, r) != references.end()) continue;
    const float* z = gallery.embeddings.view().pixel(r);
    embeddings.insert(embeddings.end(), z, z + width);
    rest.ages.push_back(gallery.ages[static_cast<std::size_t>(r)]);
  }
  rest.embeddings = Tensor(matrix(static_cast<Index>(rest.ages.size()), width));
  rest.embeddings.copy_from(embeddings.data(), static_cast<Index>(embeddings.size()));
  return rest;
}

}  // namespace

TEST_CASE("read-outs: a face that is a reference is read as if the gallery lacked it, copies too") {
  const TestContext ctx;
  Gallery gallery = gallery_of(synthetic_faces(9, 120, 4, 0.4));
  for (std::uint64_t r = 0; r < 120; ++r) gallery.contents.push_back(1000 + r);
  gallery.contents[70] = gallery.contents[5];  // a copy with another label
  const Calibration calibration = calibrated_on(synthetic_faces(10, 200, 4, 0.4));
  const ConstView all = gallery.embeddings.view();
  for (const ReadoutKind kind : comparing_readouts()) {
    CAPTURE(to_string(kind));
    const auto estimates =
        AgeReadout(gallery, calibration, {kind, 10}).estimate(ctx, {.z = all}, gallery.contents);
    Index worse = 0;
    const auto careless = AgeReadout(gallery, calibration, {kind, 10}).estimate(ctx, {.z = all});
    for (const Index r : {0, 5, 60, 70, 119}) {
      CAPTURE(r);
      const auto i = static_cast<std::size_t>(r);
      const Gallery rest = lacking(gallery, gallery.references_of(gallery.contents[i]));
      const auto alone =
          AgeReadout(rest, calibration, {kind, 10}).estimate(ctx, {.z = all.images(r, 1)}).front();
      CHECK(estimates[i].age == doctest::Approx(alone.age));
      CHECK(estimates[i].nearest.front().distance == alone.nearest.front().distance);
      CHECK(estimates[i].nearest.front().distance > 0);
      CHECK(careless[i].nearest.front().distance == 0);
      worse += estimates[i].age == careless[i].age ? 0 : 1;
      // The interval of `prototype` rests on the scatter about all prototypes, that of this face
      // included.
      if (kind == ReadoutKind::prototype) continue;
      CHECK(estimates[i].low == doctest::Approx(alone.low));
      CHECK(estimates[i].high == doctest::Approx(alone.high));
    }
    CHECK(worse > 0);
  }
}

TEST_CASE("read-outs: more neighbours than are left never include a face's own") {
  const TestContext ctx;
  Gallery gallery = line_gallery({20, 30, 40});
  gallery.contents = {1, 2, 3};
  const Calibration calibration = plain_calibration();
  const std::vector<float> z{3.2F, 0};
  const std::vector<std::uint64_t> second{2};
  for (const ReadoutKind kind : comparing_readouts()) {
    CAPTURE(to_string(kind));
    const auto estimate =
        AgeReadout(gallery, calibration, {kind, 30}).estimate(ctx, {.z = row(z)}, second).front();
    const auto rest = estimate_one(lacking(gallery, {1}), calibration, {kind, 30}, z);
    CHECK(estimate.age == doctest::Approx(rest.age));
    CHECK(estimate.nearest.size() == 2);
  }
}

TEST_CASE(
    "read-outs: other contents change nothing, and of one's own copies alone nothing is read") {
  const TestContext ctx;
  Gallery gallery = line_gallery({20, 30, 40});
  gallery.contents = {1, 2, 2};
  const Calibration calibration = plain_calibration();
  const std::vector<float> z{2, 0};
  const std::vector<std::uint64_t> unknown{0}, other{3}, first{1};
  for (const ReadoutKind kind : comparing_readouts()) {
    const AgeReadout readout(gallery, calibration, {kind, 1});
    CHECK(readout.estimate(ctx, {.z = row(z)}, unknown).front().age == 20);
    CHECK(readout.estimate(ctx, {.z = row(z)}, other).front().age == 20);
    CHECK(readout.estimate(ctx, {.z = row(z)}, first).front().age != 20);
    CHECK(readout.estimate(ctx, {.z = row(z)}, first).front().nearest.size() == 2);
    CHECK_THROWS_AS((void)readout.estimate(ctx, {.z = row(z)}, gallery.contents), Error);
  }
  gallery.contents = {1, 1, 1};
  CHECK_THROWS_WITH_AS(
      (void)AgeReadout(gallery, calibration, {}).estimate(ctx, {.z = row(z)}, first),
      doctest::Contains("every reference is a copy of row 0"), Error);
}
