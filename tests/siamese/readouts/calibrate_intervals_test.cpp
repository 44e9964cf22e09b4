#include "siamese/readouts/calibrate_intervals.h"

#include <cmath>

#include <doctest/doctest.h>

#include "core/error.h"
#include "tests/siamese/readouts/example_faces.h"

using namespace twinage;
using namespace twinage::test;

TEST_CASE("read-outs: errors near the noise, intervals that hold 80 % of new faces") {
  const TestContext ctx;
  const double noise = 0.5;  // 5 years: the best possible mean error is about 4 years
  const Gallery gallery = gallery_of(synthetic_faces(6, 3000, 2, noise));
  const Faces held_out = synthetic_faces(7, 500, 2, noise),
              fresh = synthetic_faces(8, 1000, 2, noise);
  Calibration calibration = calibrated_on(held_out);
  calibrate_intervals(ctx, gallery, calibration, 30, {.z = held_out.z.view()}, held_out.ages);
  REQUIRE(calibration.interval_scales.size() == comparing_readouts().size());
  for (const ReadoutKind kind : comparing_readouts()) {
    CAPTURE(to_string(kind));
    const auto estimates =
        AgeReadout(gallery, calibration, {kind, 30}).estimate(ctx, {.z = fresh.z.view()});
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

TEST_CASE("calibrate_intervals: 99 % of new faces have a reference within the limit, others none") {
  const TestContext ctx;
  const Gallery gallery = gallery_of(synthetic_faces(11, 1500, 4, 0.3));
  const Faces held_out = synthetic_faces(12, 600, 4, 0.3),
              fresh = synthetic_faces(13, 2000, 4, 0.3);
  Calibration calibration = calibrated_on(held_out);
  calibrate_intervals(ctx, gallery, calibration, 30, {.z = held_out.z.view()}, held_out.ages);
  CHECK(calibration.held_out == 600);
  REQUIRE(calibration.nearest_limit);
  const float limit = *calibration.nearest_limit;
  const AgeReadout readout(gallery, calibration, {ReadoutKind::knn, 30});
  double within = 0;
  for (const AgeEstimate& e : readout.estimate(ctx, {.z = fresh.z.view()}))
    within += e.nearest.front().distance <= limit ? 1 : 0;
  // Three standard deviations of 600 held-out and 2000 fresh faces: 0.014.
  CHECK(std::fabs(within / 2000 - 0.99) < 0.014);
  const std::vector<float> grey{3, 4, 4, 4};
  CHECK(readout.estimate(ctx, {.z = row(grey)}).front().nearest.front().distance > limit);

  // Of fewer than 19 faces even the largest distance is exceeded too often to be a limit.
  for (const Index few : {Index{18}, Index{19}}) {
    Faces part{Tensor(matrix(few, 4)), {}};
    part.z.copy_from(held_out.z.data(), few * 4);
    part.ages.assign(held_out.ages.begin(), held_out.ages.begin() + few);
    calibrate_intervals(ctx, gallery, calibration, 30, {.z = part.z.view()}, part.ages);
    CHECK(calibration.held_out == few);
    CHECK(calibration.nearest_limit.has_value() == (few >= 19));
  }
}

namespace {

// Faces of these ages and an age head that is wrong by 6 years on average over all (in one standard
// deviation), but thinks it is `claimed`.
struct HeadsThatErr {
  Tensor ages;
  std::vector<float> truth;
};

HeadsThatErr heads_off_by_six(std::uint64_t seed, Index count, double claimed) {
  Random random(seed);
  std::vector<double> means;
  HeadsThatErr heads;
  for (Index i = 0; i < count; ++i) {
    means.push_back(random.uniform(30, 70));
    heads.truth.push_back(static_cast<float>(means.back() + 6 * random.normal()));
  }
  heads.ages = gaussian_heads(means, claimed);
  return heads;
}

}  // namespace

TEST_CASE(
    "calibrate_intervals: a head that is too sure of itself is widened, a timid one narrowed") {
  const TestContext ctx;
  const Gallery none;
  for (const double claimed : {2.0, 6.0, 15.0}) {
    CAPTURE(claimed);
    const HeadsThatErr held_out = heads_off_by_six(21, 500, claimed),
                       fresh = heads_off_by_six(22, 1000, claimed);
    Calibration calibration;
    calibrate_intervals(ctx, none, calibration, 30, {.ages = held_out.ages.view()}, held_out.truth);
    const float scale = calibration.interval_scales.at(ReadoutKind::expectation);
    // Three standard deviations of a quantile of 500 errors: 0.18 of it.
    CHECK(scale == doctest::Approx(6 / claimed).epsilon(0.18));
    const auto estimates = AgeReadout(none, calibration, {ReadoutKind::expectation})
                               .estimate(ctx, {.ages = fresh.ages.view()});
    double inside = 0;
    for (std::size_t i = 0; i < estimates.size(); ++i)
      inside += estimates[i].low <= fresh.truth[i] && fresh.truth[i] <= estimates[i].high;
    CHECK(std::fabs(inside / 1000 - 0.8) < 0.066);
  }
}

TEST_CASE("calibrate_intervals: of the faces calibrated on the interval holds exactly the rank") {
  const TestContext ctx;
  const Gallery none;
  const HeadsThatErr held_out = heads_off_by_six(23, 60, 4);
  for (Index n = 2; n <= 60; ++n) {
    CAPTURE(n);
    const ConstView ages = held_out.ages.view().images(0, n);
    const std::vector<float> truth(held_out.truth.begin(), held_out.truth.begin() + n);
    Calibration calibration;
    calibrate_intervals(ctx, none, calibration, 30, {.ages = ages}, truth);
    const auto estimates =
        AgeReadout(none, calibration, {ReadoutKind::expectation}).estimate(ctx, {.ages = ages});
    Index inside = 0;  // with the one that is on an end
    for (std::size_t i = 0; i < estimates.size(); ++i)
      inside += estimates[i].low <= truth[i] + 1e-3F && truth[i] <= estimates[i].high + 1e-3F;
    CHECK(inside == conformal_rank(kCoverage, n));
  }
}

TEST_CASE(
    "calibrate_intervals: of every read-out that the outputs are there for, and of no other") {
  const TestContext ctx;
  const Gallery gallery = gallery_of(synthetic_faces(23, 300, 4, 0.3)), none;
  const Faces held_out = synthetic_faces(24, 60, 4, 0.3);
  const Tensor ages = gaussian_heads({held_out.ages.begin(), held_out.ages.end()}, 5);
  const auto calibrated = [&](const Gallery& references, const FaceOutputs& outputs) {
    Calibration calibration = calibrated_on(held_out);
    calibration.interval_scales = {{ReadoutKind::knn, 7.0F}};
    calibration.nearest_limit = 9;
    calibrate_intervals(ctx, references, calibration, 30, outputs, held_out.ages);
    return calibration;
  };
  const auto both = calibrated(gallery, {held_out.z.view(), ages.view()});
  CHECK(both.interval_scales.size() == comparing_readouts().size() + 1);  // and expectation
  const auto compared = calibrated(gallery, {.z = held_out.z.view()});
  CHECK(compared.interval_scales.size() == comparing_readouts().size());
  for (const ReadoutKind kind : comparing_readouts())
    CHECK(both.interval_scales.at(kind) == compared.interval_scales.at(kind));
  CHECK(both.nearest_limit == compared.nearest_limit);
  for (const Gallery* references : {&none, &gallery}) {
    const auto direct = calibrated(*references, {.ages = ages.view()});
    CHECK(direct.interval_scales.size() == 1);
    CHECK(direct.interval_scales.at(ReadoutKind::expectation) ==
          both.interval_scales.at(ReadoutKind::expectation));
    CHECK(direct.held_out == 60);
    CHECK(!direct.nearest_limit);
  }
  CHECK_THROWS_WITH_AS((void)calibrated(none, {.z = held_out.z.view()}),
                       doctest::Contains("got neither"), Error);
}

TEST_CASE("calibrate_intervals: one face is the least, and its age is then on the interval's end") {
  const TestContext ctx;
  const Gallery gallery = gallery_of(synthetic_faces(25, 50, 2, 0.3));
  Calibration calibration = calibrated_on(synthetic_faces(26, 50, 2, 0.3));
  const std::vector<float> z{3, 0}, age{45}, no_age;
  calibrate_intervals(ctx, gallery, calibration, 5, {.z = row(z)}, age);
  CHECK(calibration.held_out == 1);
  for (const ReadoutKind kind : comparing_readouts())
    CHECK(estimate_one(gallery, calibration, {kind, 5}, z).high == doctest::Approx(45));
  CHECK_THROWS_WITH_AS(
      calibrate_intervals(ctx, gallery, calibration, 5, {.z = {z.data(), matrix(0, 2)}}, no_age),
      doctest::Contains("at least one held-out face"), Error);
}
