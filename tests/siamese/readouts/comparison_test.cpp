#include <cmath>

#include <doctest/doctest.h>

#include "tests/siamese/readouts/example_faces.h"

using namespace twinage;
using namespace twinage::test;

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
  for (const AgeEstimate& estimate : readout.estimate(TestContext(), {.z = held_out.z.view()})) {
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

TEST_CASE("comparison: of the references of one step, which are as probable, the nearer one wins") {
  const Gallery gallery = line_gallery({20, 40});
  Calibration level;
  level.distances = {10};
  level.probabilities = {0.5F};
  const ReadoutOptions options{ReadoutKind::comparison, 1};
  CHECK(estimate_one(gallery, level, options, {2.0F, 0}).age < 29.99F);
  CHECK(estimate_one(gallery, level, options, {4.0F, 0}).age > 30.01F);
}
