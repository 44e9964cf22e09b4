#include <cmath>
#include <limits>

#include <doctest/doctest.h>

#include "core/error.h"
#include "siamese/readouts/calibrate_intervals.h"
#include "tests/siamese/readouts/example_faces.h"

using namespace twinage;
using namespace twinage::test;

namespace {

const Gallery kNoGallery{};
const Calibration kNotCalibrated{};

Tensor numbers_of(const std::vector<float>& years) {
  Tensor numbers(matrix(static_cast<Index>(years.size()), 1));
  numbers.copy_from(years.data(), numbers.size());
  return numbers;
}

}  // namespace

TEST_CASE("direct: the number is the age, with a year to either side until it is calibrated") {
  const TestContext ctx;
  const Tensor numbers = numbers_of({37.25F, 0.5F, -3, 104});
  const AgeReadout readout(kNoGallery, kNotCalibrated, {ReadoutKind::direct});
  const auto estimates = readout.estimate(ctx, {.ages = numbers.view()});
  CHECK(estimates[0].age == 37.25F);
  CHECK(estimates[0].low == 36.25F);
  CHECK(estimates[0].high == 38.25F);
  CHECK(estimates[0].nearest.empty());
  CHECK(estimates[1].low == 0);
  CHECK(estimates[1].high == 1.5F);
  CHECK(estimates[2].age == 0);
  CHECK(estimates[3].age == 104);
}

TEST_CASE("direct: calibrated, the interval is as wide as 80 % of the held-out errors") {
  const TestContext ctx;
  Random random(3);
  std::vector<float> truth, said;
  for (int i = 0; i < 1500; ++i) {
    truth.push_back(static_cast<float>(random.uniform(30, 80)));
    said.push_back(truth.back() + static_cast<float>(6 * random.normal()));
  }
  const Tensor numbers = numbers_of(said);
  Calibration calibration;
  const Index held_out = 500;
  calibrate_intervals(ctx, kNoGallery, calibration, 30,
                      {.ages = numbers.view().images(0, held_out)},
                      std::span(truth).first(static_cast<std::size_t>(held_out)));
  CHECK(calibration.interval_scales.size() == 1);
  // In years: 1.28 deviations of 6; three standard deviations of a quantile of 500 errors.
  CHECK(calibration.interval_scales.at(ReadoutKind::direct) ==
        doctest::Approx(1.2816 * 6).epsilon(0.18));
  const auto estimates = AgeReadout(kNoGallery, calibration, {ReadoutKind::direct})
                             .estimate(ctx, {.ages = numbers.view().images(held_out, 1000)});
  double inside = 0;
  for (std::size_t i = 0; i < estimates.size(); ++i)
    inside += estimates[i].low <= truth[500 + i] && truth[500 + i] <= estimates[i].high;
  CHECK(std::fabs(inside / 1000 - 0.8) < 0.066);
}

TEST_CASE("direct: needs a head that says a number, and refuses one that is none") {
  const TestContext ctx;
  const AgeReadout direct(kNoGallery, kNotCalibrated, {ReadoutKind::direct}),
      expectation(kNoGallery, kNotCalibrated, {ReadoutKind::expectation});
  const Tensor numbers = numbers_of({20, 30, 40}), ages = gaussian_heads({20, 30, 40}, 3);
  CHECK_THROWS_WITH_AS((void)direct.estimate(ctx, {.ages = ages.view()}),
                       doctest::Contains("direct needs an age head that says one number"), Error);
  CHECK_THROWS_WITH_AS((void)expectation.estimate(ctx, {.ages = numbers.view()}),
                       doctest::Contains("expectation needs a probability of every age"), Error);
  const std::vector<float> z{1, 2};
  CHECK_THROWS_WITH_AS((void)direct.estimate(ctx, {.z = row(z)}),
                       doctest::Contains("direct needs an age head, and this network has none"),
                       Error);
  const float infinity = std::numeric_limits<float>::infinity();
  for (const float bad : {std::nanf(""), infinity, -infinity}) {
    const Tensor broken = numbers_of({20, bad, 40});
    CHECK_THROWS_WITH_AS((void)direct.estimate(ctx, {.ages = broken.view()}),
                         doctest::Contains("in row 1"), Error);
  }
}

TEST_CASE("direct: where there are embeddings and a gallery, it shows the nearest references") {
  const TestContext ctx;
  const Gallery gallery = line_gallery({20, 30, 40});
  const std::vector<float> z{3, 0};
  const Tensor numbers = numbers_of({25});
  const AgeReadout readout(gallery, kNotCalibrated, {ReadoutKind::direct});
  const auto estimate = readout.estimate(ctx, {row(z), numbers.view()}).front();
  CHECK(estimate.age == 25);
  REQUIRE(estimate.nearest.size() == 3);
  CHECK(estimate.nearest[0].reference == 1);
}
