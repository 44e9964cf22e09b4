#include <cmath>
#include <limits>

#include <doctest/doctest.h>

#include "core/error.h"
#include "tests/siamese/readouts/example_faces.h"

using namespace twinage;
using namespace twinage::test;

namespace {

const Gallery kNoGallery{};
const Calibration kNotCalibrated{};

struct Share {
  std::size_t age;
  float probability;
};

std::vector<float> distribution(const std::vector<Share>& shares) {
  std::vector<float> ages(101, 0.0F);
  for (const Share& s : shares) ages[s.age] = s.probability;
  return ages;
}

AgeEstimate expectation_of(const std::vector<float>& ages) {
  const AgeReadout readout(kNoGallery, kNotCalibrated, {ReadoutKind::expectation});
  return readout.estimate(TestContext(), {.ages = row(ages)}).front();
}

// A mixture that leans to one side: 70 % about 25 years, 30 % about 45.
std::vector<float> leaning() {
  const Tensor parts = gaussian_heads({25, 45}, 5);
  std::vector<float> ages;
  for (Index a = 0; a <= 100; ++a)
    ages.push_back(0.7F * parts.view().pixel(0)[a] + 0.3F * parts.view().pixel(1)[a]);
  return ages;
}

}  // namespace

TEST_CASE("expectation: one sure age is that age, with half a year to either side") {
  for (const std::size_t age : {1, 37, 100}) {
    CAPTURE(age);
    const auto estimate = expectation_of(distribution({{age, 1}}));
    CHECK(estimate.age == static_cast<float>(age));
    CHECK(estimate.low == static_cast<float>(age) - 0.5F);
    CHECK(estimate.high == static_cast<float>(age) + 0.5F);
    CHECK(estimate.nearest.empty());
  }
  // What rounding leaves over or takes away moves nothing.
  CHECK(expectation_of(distribution({{80, 0.9995F}})).age == 80);
  const auto newborn = expectation_of(distribution({{0, 1}}));
  CHECK(newborn.age == 0);
  CHECK(newborn.low == 0);
  CHECK(newborn.high == 0.5F);
}

TEST_CASE("expectation: two ages, by hand") {
  // Half of the weight on the year [19.5, 20.5), half on [39.5, 40.5): a tenth of all is a fifth of
  // the one.
  const auto even = expectation_of(distribution({{20, 0.5F}, {40, 0.5F}}));
  CHECK(even.age == 30);
  CHECK(even.low == doctest::Approx(19.7).epsilon(1e-6));
  CHECK(even.high == doctest::Approx(40.3).epsilon(1e-6));
  const auto uneven = expectation_of(distribution({{20, 0.25F}, {40, 0.75F}}));
  CHECK(uneven.age == 35);
  CHECK(uneven.low == doctest::Approx(19.9).epsilon(1e-6));
  CHECK(uneven.high == doctest::Approx(39.5 + 0.65 / 0.75).epsilon(1e-6));
}

TEST_CASE(
    "expectation: the mean is within its interval even where the quantiles are not about it") {
  // The 90 % quantile is 19.5 + 0.9 / 0.95 = 20.4, the mean 23.
  const auto estimate = expectation_of(distribution({{20, 0.95F}, {80, 0.05F}}));
  CHECK(estimate.age == doctest::Approx(23).epsilon(1e-6));
  CHECK(estimate.low == doctest::Approx(19.5 + 0.1 / 0.95).epsilon(1e-6));
  CHECK(estimate.high == doctest::Approx(23.5).epsilon(1e-6));
}

TEST_CASE("expectation: all ages alike, by hand") {
  // The density is even over [-0.5, 100.5); a tenth of it is 10.1 years.
  const auto estimate = expectation_of(std::vector<float>(101, 1.0F / 101));
  CHECK(estimate.age == doctest::Approx(50).epsilon(1e-6));
  CHECK(estimate.low == doctest::Approx(9.6).epsilon(1e-5));
  CHECK(estimate.high == doctest::Approx(90.4).epsilon(1e-6));
}

TEST_CASE("expectation: a Gaussian, by hand") {
  // exp(-((a - 40.3) / 6)^2 / 2) over its sum: 0.0965424 of it lies in the years up to 32 and
  // 0.0317191 in 33, 0.8852004 up to 47 and 0.0291830 in 48. A Gaussian that knows no years has its
  // quantiles at 40.3 -+ 1.28155 * 6 = 32.611 and 47.989.
  const Tensor ages = gaussian_heads({40.3}, 6);
  const auto estimate = expectation_of({ages.data(), ages.data() + 101});
  CHECK(estimate.age == doctest::Approx(40.3).epsilon(1e-6));
  CHECK(estimate.low == doctest::Approx(32.5 + (0.1 - 0.0965424) / 0.0317191).epsilon(1e-6));
  CHECK(estimate.high == doctest::Approx(47.5 + (0.9 - 0.8852004) / 0.0291830).epsilon(1e-6));
}

TEST_CASE("expectation: the interval holds 80 % of ages drawn from the distribution") {
  Random random(20);
  const Tensor gaussian = gaussian_heads({33.7}, 4);
  for (const std::vector<float>& ages :
       {std::vector<float>(gaussian.data(), gaussian.data() + 101), leaning(),
        distribution({{18, 0.2F}, {21, 0.5F}, {30, 0.3F}})}) {
    const auto estimate = expectation_of(ages);
    const int draws = 20'000;
    double inside = 0;
    for (int i = 0; i < draws; ++i) {
      double rest = random.uniform(0, 1);
      std::size_t year = 0;
      for (; year < 100 && rest >= static_cast<double>(ages[year]); ++year)
        rest -= static_cast<double>(ages[year]);
      const double age = static_cast<double>(year) + random.uniform(-0.5, 0.5);
      inside +=
          static_cast<double>(estimate.low) <= age && age <= static_cast<double>(estimate.high);
    }
    // Three standard deviations of so many draws: 0.0085.
    CHECK(std::fabs(inside / draws - 0.8) < 0.0085);
  }
}

TEST_CASE("expectation: a row that is no distribution is an error that names it") {
  const TestContext ctx;
  const AgeReadout readout(kNoGallery, kNotCalibrated, {ReadoutKind::expectation});
  const auto estimate = [&](float first, float second) {
    Tensor ages = gaussian_heads({20, 30, 40}, 3);
    ages.view().pixel(1)[29] = first;
    ages.view().pixel(1)[30] = second;
    (void)readout.estimate(ctx, {.ages = ages.view()});
  };
  const float infinity = std::numeric_limits<float>::infinity();
  for (const float bad : {std::nanf(""), infinity, -infinity, -0.01F})
    CHECK_THROWS_WITH_AS(estimate(0.1F, bad), doctest::Contains("for age 30 in row 1"), Error);
  CHECK_THROWS_WITH_AS(estimate(0, 0), doctest::Contains("with the sum 1, got 0.7"), Error);
  CHECK_THROWS_WITH_AS(estimate(1, 1), doctest::Contains("in row 1"), Error);
  CHECK_THROWS_WITH_AS((void)expectation_of(std::vector<float>(101, 0.0F)),
                       doctest::Contains("with the sum 1, got 0 in row 0"), Error);
}

TEST_CASE("expectation: needs an age head, and no gallery") {
  const TestContext ctx;
  const AgeReadout readout(kNoGallery, kNotCalibrated, {ReadoutKind::expectation});
  const std::vector<float> z{1, 2};
  CHECK(readout.estimate(ctx, {{nullptr, matrix(0, 2)}, {nullptr, matrix(0, 101)}}).empty());
  CHECK_THROWS_WITH_AS((void)readout.estimate(ctx, {.z = row(z)}),
                       doctest::Contains("expectation needs an age head"), Error);
  const Tensor ages = gaussian_heads({20, 30}, 3);
  CHECK(readout.estimate(ctx, {.z = {}, .ages = ages.view()}).size() == 2);
  const std::vector<std::uint64_t> three{1, 2, 3};
  CHECK_THROWS_AS((void)readout.estimate(ctx, {.ages = ages.view()}, three), Error);
}

TEST_CASE(
    "expectation: where there are embeddings and a gallery, it shows the nearest references") {
  const TestContext ctx;
  Gallery gallery = line_gallery({20, 30, 40});
  gallery.contents = {1, 2, 3};
  const AgeReadout readout(gallery, kNotCalibrated, {ReadoutKind::expectation});
  const std::vector<float> z{3, 0};
  const Tensor ages = gaussian_heads({25}, 3);
  const FaceOutputs face{row(z), ages.view()};
  const auto estimate = readout.estimate(ctx, face).front();
  CHECK(estimate.age == doctest::Approx(25).epsilon(1e-6));
  REQUIRE(estimate.nearest.size() == 3);
  CHECK(estimate.nearest[0].reference == 1);
  const std::vector<std::uint64_t> copy{2};
  const auto other = readout.estimate(ctx, face, copy).front();
  CHECK(other.age == estimate.age);
  REQUIRE(other.nearest.size() == 2);
  CHECK(other.nearest[0].reference != 1);
  // Of its own copies alone a face that is read by its head has no neighbour, and that is all.
  gallery.contents = {2, 2, 2};
  CHECK(readout.estimate(ctx, face, copy).front().age == estimate.age);
  CHECK(readout.estimate(ctx, face, copy).front().nearest.empty());
  CHECK(readout.estimate(ctx, {.ages = ages.view()}).front().nearest.empty());
  CHECK_THROWS_AS((void)readout.estimate(ctx, {{z.data(), matrix(1, 1)}, ages.view()}), Error);
}
