#include "siamese/age_readout.h"

#include <algorithm>
#include <cmath>

#include <doctest/doctest.h>

#include "core/error.h"
#include "tests/support/test_context.h"

using namespace twinage;
using test::TestContext;

namespace {

constexpr ReadoutKind kKinds[] = {ReadoutKind::comparison, ReadoutKind::knn,
                                  ReadoutKind::prototype};

// Faces whose embedding is a line, z = age / 10 in the first of `width` numbers, plus noise in all.
struct Faces {
  Tensor z;
  std::vector<float> ages;
};

Faces synthetic_faces(std::uint64_t seed, Index count, Index width, double noise) {
  Random random(seed);
  Faces faces{Tensor(matrix(count, width)), {}};
  for (Index n = 0; n < count; ++n) {
    // Twice as many faces of 20 to 39 as of other ages.
    const double age =
        std::floor(random.chance(0.5) ? random.uniform(20, 40) : random.uniform(0, 90));
    faces.ages.push_back(static_cast<float>(age));
    for (Index c = 0; c < width; ++c)
      faces.z.view().pixel(n)[c] =
          static_cast<float>((c == 0 ? age / 10 : 0) + noise * random.normal());
  }
  return faces;
}

Gallery gallery_of(Faces faces) {
  Gallery gallery{std::move(faces.z), std::move(faces.ages), {}};
  gallery.names.assign(gallery.ages.size(), "face.jpg");
  return gallery;
}

Gallery line_gallery(const std::vector<float>& ages) {
  Gallery gallery{Tensor(matrix(static_cast<Index>(ages.size()), 2)), ages, {}};
  for (std::size_t i = 0; i < ages.size(); ++i)
    gallery.embeddings.view().pixel(static_cast<Index>(i))[0] = ages[i] / 10;
  return gallery;
}

// P(same class) for z = age / 10: 1 up to 3 years, then less.
Calibration plain_calibration() {
  Calibration calibration;
  calibration.distances = {0.35F, 0.65F, 10};
  calibration.probabilities = {1, 0.25F, 0};
  return calibration;
}

Calibration calibrated_on(const Faces& faces, float tau = 3) {
  std::vector<float> distances, gaps;
  for (Index a = 0; a < faces.z.shape().n; ++a)
    for (Index b = a + 1; b < faces.z.shape().n; b += 3) {
      double sum = 0;
      for (Index c = 0; c < faces.z.shape().c; ++c) {
        const double x = static_cast<double>(faces.z.view().pixel(a)[c]) -
                         static_cast<double>(faces.z.view().pixel(b)[c]);
        sum += x * x;
      }
      distances.push_back(static_cast<float>(std::sqrt(sum)));
      gaps.push_back(std::fabs(faces.ages[static_cast<std::size_t>(a)] -
                               faces.ages[static_cast<std::size_t>(b)]));
    }
  return calibrate(distances, gaps, tau);
}

ConstView row(const std::vector<float>& z) {
  return {z.data(), matrix(1, static_cast<Index>(z.size()))};
}

AgeEstimate estimate_one(const Gallery& gallery, const Calibration& calibration,
                         ReadoutOptions options, const std::vector<float>& z) {
  const TestContext ctx;
  return AgeReadout(gallery, calibration, options).estimate(ctx, row(z)).front();
}

}  // namespace

TEST_CASE("read-outs: names go both ways") {
  for (const ReadoutKind kind : kKinds) CHECK(parse<ReadoutKind>(to_string(kind)) == kind);
  CHECK_THROWS_AS((void)parse<ReadoutKind>("oracle"), UsageError);
}

TEST_CASE("knn: the weighted median of the nearest ages, by hand") {
  // The query is at 3.05 with distances 0.05, 0.05, 0.15 and 0.25 to the ages 30, 31, 32 and 28
  // (29 is missing), and far from 60. k = 3: d0 = 0.015, weights 1/0.065, 1/0.065, 1/0.165. Centres
  // of the weights over ages 30, 31, 32: 7.692, 23.077, 33.800 of 36.830; half of it, 18.415, is
  // 0.69697 of the way from the first centre to the second.
  const Gallery gallery = line_gallery({60, 31, 28, 30, 32});
  const auto estimate = estimate_one(gallery, Calibration(), {ReadoutKind::knn, 3}, {3.05F, 0});
  CHECK(estimate.age == doctest::Approx(30.69697).epsilon(1e-5));
  // 10 % of the weight lies below the first centre: the lowest age, but half a year at least.
  CHECK(estimate.low == doctest::Approx(30));
  CHECK(estimate.high == doctest::Approx(31.94087).epsilon(1e-4));
  REQUIRE(estimate.nearest.size() == 5);
  CHECK(estimate.nearest[2].reference == 4);
  CHECK(estimate.nearest[3].reference == 2);
  CHECK(estimate.nearest[4].reference == 0);
  CHECK(estimate.nearest[3].distance == doctest::Approx(0.25));
}

TEST_CASE("knn: of equal distances the first references are taken, in their order") {
  const Gallery gallery = line_gallery({40, 20, 20, 40, 40, 20, 20, 20, 90});
  const auto estimate = estimate_one(gallery, Calibration(), {ReadoutKind::knn, 2}, {2, 0});
  CHECK(estimate.age == 20);
  const Index expected[] = {1, 2, 5, 6, 7};
  for (std::size_t i = 0; i < 5; ++i) CHECK(estimate.nearest[i].reference == expected[i]);
}

TEST_CASE("prototype: the age whose mean is nearest") {
  std::vector<float> ages;
  for (int age = 10; age <= 60; ++age) ages.insert(ages.end(), 40, static_cast<float>(age));
  const Gallery gallery = line_gallery(ages);
  const auto estimate =
      estimate_one(gallery, Calibration(), {ReadoutKind::prototype, 1}, {3.48F, 0.5F});
  CHECK(estimate.age == 35);
}

TEST_CASE("comparison: finds the age of the window, not the age with the most references") {
  // References at every year, but twenty times as many at 40 and 41: they vote, too, yet do not
  // draw the estimate for a face of 36 towards themselves.
  std::vector<float> ages;
  for (int age = 20; age <= 60; ++age)
    ages.insert(ages.end(), age == 40 || age == 41 ? 600 : 30, static_cast<float>(age));
  const Gallery gallery = line_gallery(ages);
  const auto estimate =
      estimate_one(gallery, plain_calibration(), {ReadoutKind::comparison, 1}, {3.6F, 0});
  CHECK(std::fabs(estimate.age - 36) < 0.5F);
  CHECK(estimate.low < 36);
  CHECK(estimate.high > 36);
  CHECK(estimate.low > 28);
  CHECK(estimate.high < 44);
}

TEST_CASE("comparison: the weighted median of the votes, by hand") {
  // tau = 1, so votes count with their third power: 4 references of 20 with 0.5, 1 of 30 with 0.8,
  // 2 of 40 with 0.4; weights 4 * 0.125 = 0.5, 0.512 and 2 * 0.064 = 0.128. Centres 0.25, 0.756 and
  // 1.076 of 1.14; half of it, 0.57, is 0.6324 of the way from the first to the second. The 10 %
  // quantile is below the first centre; 90 %, 1.026, is 0.84375 of the way from the second to the
  // third. The small term of a vote moves all this by less than 0.1 years.
  const Gallery gallery = line_gallery({20, 20, 20, 20, 30, 40, 40});
  Calibration calibration;
  calibration.tau = 1;
  calibration.distances = {0.15F, 1.05F, 2};
  calibration.probabilities = {0.8F, 0.5F, 0.4F};
  const auto estimate = estimate_one(gallery, calibration, {ReadoutKind::comparison, 1}, {2.9F, 0});
  CHECK(estimate.age == doctest::Approx(26.324).epsilon(0.004));
  CHECK(estimate.low == doctest::Approx(20));
  CHECK(estimate.high == doctest::Approx(38.4375).epsilon(0.004));
}

TEST_CASE("comparison: where distances say nothing, the median age and never a rare one") {
  // A network that has learnt nothing: embeddings are noise. Most faces are of 20 to 39, a few of
  // up to 89, one or two a year.
  Random random(9);
  Faces faces{Tensor(matrix(1300, 4)), {}};
  for (Index n = 0; n < 1300; ++n) {
    const double age = n % 13 == 0 ? random.uniform(0, 90) : random.uniform(20, 40);
    faces.ages.push_back(static_cast<float>(std::floor(age)));
    for (Index c = 0; c < 4; ++c) faces.z.view().pixel(n)[c] = static_cast<float>(random.normal());
  }
  Faces held_out{Tensor(matrix(300, 4)), {faces.ages.begin(), faces.ages.begin() + 300}};
  for (Index n = 0; n < 300 * 4; ++n) held_out.z.data()[n] = static_cast<float>(random.normal());
  const Calibration calibration = calibrated_on(held_out);
  const Gallery gallery = gallery_of(std::move(faces));
  const AgeReadout readout(gallery, calibration, {ReadoutKind::comparison, 1});
  double from_median = 0;
  for (const AgeEstimate& estimate : readout.estimate(TestContext(), held_out.z.view())) {
    CHECK(estimate.age > 20);
    CHECK(estimate.age < 40);
    from_median += std::fabs(static_cast<double>(estimate.age) - 29.5) / 300;
  }
  CHECK(from_median < 2);
}

TEST_CASE("comparison: a face that is unlike every reference follows the nearest of them") {
  const Gallery gallery = line_gallery({20, 30, 40, 50});
  Calibration never = plain_calibration();
  never.probabilities = {0, 0, 0};
  const auto estimate = estimate_one(gallery, never, {ReadoutKind::comparison, 1}, {4.1F, 0});
  CHECK(std::fabs(estimate.age - 40) < 3);
}

TEST_CASE("read-outs: at the ends of the ages there is no pull inwards beyond the noise") {
  const Gallery gallery = gallery_of(synthetic_faces(1, 4000, 4, 0.1));
  const Calibration calibration = calibrated_on(synthetic_faces(2, 300, 4, 0.1));
  for (const ReadoutKind kind : kKinds) {
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
  for (const ReadoutKind kind : kKinds) {
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

TEST_CASE("prototype: where no age is nearer than another, the interval spans them all alike") {
  Gallery identical = line_gallery({10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 110});
  identical.embeddings.fill(1);
  const auto estimate = estimate_one(identical, Calibration(), {ReadoutKind::prototype, 1}, {1, 1});
  CHECK(estimate.age == 10);
  CHECK(estimate.high == doctest::Approx(104));  // 90 % of eleven equal weights
}

TEST_CASE("read-outs: errors name the row that is not finite and what the gallery lacks") {
  const TestContext ctx;
  const Gallery gallery = line_gallery({20, 30, 40});
  const Calibration calibration = plain_calibration();
  for (const ReadoutKind kind : kKinds) {
    const AgeReadout readout(gallery, calibration, {kind, 30});
    CHECK(readout.estimate(ctx, {nullptr, matrix(0, 2)}).empty());
    const std::vector<float> z{1, 2, 3, 4, std::nanf(""), 6};
    CHECK_THROWS_WITH_AS((void)readout.estimate(ctx, {z.data(), matrix(3, 2)}),
                         doctest::Contains("row 2 of the queries"), Error);
    const std::vector<float> far{1, 2, 3e38F, -3e38F};
    CHECK_THROWS_WITH_AS((void)readout.estimate(ctx, {far.data(), matrix(2, 2)}),
                         doctest::Contains("row 1 of the queries"), Error);
    CHECK_THROWS_AS((void)readout.estimate(ctx, {z.data(), matrix(2, 3)}), Error);
  }
  CHECK_THROWS_AS(AgeReadout(Gallery(), calibration, {}), Error);
  CHECK_THROWS_AS(AgeReadout(gallery, Calibration(), {ReadoutKind::comparison, 30}), Error);
  CHECK_THROWS_AS(AgeReadout(gallery, calibration, {ReadoutKind::knn, 0}), Error);
  Calibration one_scale = calibration;
  one_scale.interval_scales = {1};
  CHECK_THROWS_AS(AgeReadout(gallery, one_scale, {}), Error);
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
  for (const ReadoutKind kind : kKinds) {
    const AgeReadout readout(gallery, calibration, {kind, 30});
    const auto first = readout.estimate(contexts[0], queries.z.view());
    for (const TestContext& ctx : contexts) {
      const auto again = readout.estimate(ctx, queries.z.view());
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

TEST_CASE("read-outs: errors near the noise, intervals that hold 80 % of new faces") {
  const TestContext ctx;
  const double noise = 0.5;  // 5 years: the best possible mean error is about 4 years
  const Gallery gallery = gallery_of(synthetic_faces(6, 3000, 2, noise));
  const Faces held_out = synthetic_faces(7, 500, 2, noise),
              fresh = synthetic_faces(8, 1000, 2, noise);
  Calibration calibration = calibrated_on(held_out);
  calibrate_intervals(ctx, gallery, calibration, 30, held_out.z.view(), held_out.ages);
  REQUIRE(calibration.interval_scales.size() == 3);
  for (const ReadoutKind kind : kKinds) {
    CAPTURE(to_string(kind));
    const auto estimates =
        AgeReadout(gallery, calibration, {kind, 30}).estimate(ctx, fresh.z.view());
    double error = 0, inside = 0, width = 0;
    for (std::size_t i = 0; i < estimates.size(); ++i) {
      const float age = fresh.ages[i];
      error += std::fabs(static_cast<double>(estimates[i].age - age));
      inside += estimates[i].low <= age && age <= estimates[i].high ? 1 : 0;
      width += static_cast<double>(estimates[i].high - estimates[i].low);
    }
    const auto count = static_cast<double>(estimates.size());
    MESSAGE(to_string(kind) << ": mean error " << error / count << " years, inside "
                            << inside / count << ", width " << width / count);
    CHECK(error / count < 4.6);
    // Three standard deviations of 500 held-out and 1000 fresh faces: 0.066.
    CHECK(std::fabs(inside / count - 0.8) < 0.066);
    CHECK(width / count < 20);
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
  for (const ReadoutKind kind : kKinds) {
    CAPTURE(to_string(kind));
    const auto estimates =
        AgeReadout(gallery, calibration, {kind, 10}).estimate(ctx, all, gallery.contents);
    Index worse = 0;
    const auto careless = AgeReadout(gallery, calibration, {kind, 10}).estimate(ctx, all);
    for (const Index r : {0, 5, 60, 70, 119}) {
      CAPTURE(r);
      const auto i = static_cast<std::size_t>(r);
      const Gallery rest = lacking(gallery, gallery.references_of(gallery.contents[i]));
      const auto alone =
          AgeReadout(rest, calibration, {kind, 10}).estimate(ctx, all.images(r, 1)).front();
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

TEST_CASE(
    "read-outs: other contents change nothing, and of one's own copies alone nothing is read") {
  const TestContext ctx;
  Gallery gallery = line_gallery({20, 30, 40});
  gallery.contents = {1, 2, 2};
  const Calibration calibration = plain_calibration();
  const std::vector<float> z{2, 0};
  const std::vector<std::uint64_t> unknown{0}, other{3}, first{1};
  for (const ReadoutKind kind : kKinds) {
    const AgeReadout readout(gallery, calibration, {kind, 1});
    CHECK(readout.estimate(ctx, row(z), unknown).front().age == 20);
    CHECK(readout.estimate(ctx, row(z), other).front().age == 20);
    CHECK(readout.estimate(ctx, row(z), first).front().age != 20);
    CHECK(readout.estimate(ctx, row(z), first).front().nearest.size() == 2);
    CHECK_THROWS_AS((void)readout.estimate(ctx, row(z), gallery.contents), Error);
  }
  gallery.contents = {1, 1, 1};
  CHECK_THROWS_WITH_AS((void)AgeReadout(gallery, calibration, {}).estimate(ctx, row(z), first),
                       doctest::Contains("every reference is a copy of row 0"), Error);
}

TEST_CASE("calibrate_intervals: 99 % of new faces have a reference within the limit, others none") {
  const TestContext ctx;
  const Gallery gallery = gallery_of(synthetic_faces(11, 1500, 4, 0.3));
  const Faces held_out = synthetic_faces(12, 600, 4, 0.3),
              fresh = synthetic_faces(13, 2000, 4, 0.3);
  Calibration calibration = calibrated_on(held_out);
  calibrate_intervals(ctx, gallery, calibration, 30, held_out.z.view(), held_out.ages);
  CHECK(calibration.held_out == 600);
  REQUIRE(calibration.nearest_limit);
  const float limit = *calibration.nearest_limit;
  const AgeReadout readout(gallery, calibration, {ReadoutKind::knn, 30});
  double within = 0;
  for (const AgeEstimate& e : readout.estimate(ctx, fresh.z.view()))
    within += e.nearest.front().distance <= limit ? 1 : 0;
  // Three standard deviations of 600 held-out and 2000 fresh faces: 0.014.
  CHECK(std::fabs(within / 2000 - 0.99) < 0.014);
  const std::vector<float> grey{3, 4, 4, 4};
  CHECK(readout.estimate(ctx, row(grey)).front().nearest.front().distance > limit);

  // Of fewer than 19 faces even the largest distance is exceeded too often to be a limit.
  for (const Index few : {Index{18}, Index{19}}) {
    Faces part{Tensor(matrix(few, 4)), {}};
    part.z.copy_from(held_out.z.data(), few * 4);
    part.ages.assign(held_out.ages.begin(), held_out.ages.begin() + few);
    calibrate_intervals(ctx, gallery, calibration, 30, part.z.view(), part.ages);
    CHECK(calibration.held_out == few);
    CHECK(calibration.nearest_limit.has_value() == (few >= 19));
  }
}
