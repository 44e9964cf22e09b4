#include "siamese/readouts/calibrate_intervals.h"

#include <array>
#include <cmath>

#include <doctest/doctest.h>

#include "core/error.h"
#include "siamese/interval_width.h"
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
    CHECK(inside >= conformal_rank(kCoverage, n));
    // With a width for each age the interval is a hull, which may hold another one.
    CHECK(calibration.interval_widths.empty() == (n <= kHeldOutForCoverage));
    if (n <= kHeldOutForCoverage) CHECK(inside == conformal_rank(kCoverage, n));
  }
}

namespace {

// Faces as a network reads them that was trained on few old people: most are of the twenties and
// thirties; the older, the worse they are read, and from 40 on too young.
HeadsThatErr read_too_young(std::uint64_t seed, Index count) {
  Random random(seed);
  std::vector<double> means;
  HeadsThatErr heads;
  for (Index i = 0; i < count; ++i) {
    const double age =
        std::floor(random.chance(0.5) ? random.uniform(20, 40) : random.uniform(0, 90));
    const double read = age - 0.3 * std::max(0.0, age - 40) + (1.5 + age / 8) * random.normal();
    heads.truth.push_back(static_cast<float>(age));
    means.push_back(std::max(read, 0.0));
  }
  heads.ages = gaussian_heads(means, 6);
  return heads;
}

struct Decades {
  std::array<double, 9> inside{}, faces{};
  double width = 0;  // mean, years
};

Decades by_decade(const Calibration& calibration, const HeadsThatErr& fresh) {
  const TestContext ctx;
  const Gallery none;
  Decades decades;
  const auto estimates = AgeReadout(none, calibration, {ReadoutKind::expectation})
                             .estimate(ctx, {.ages = fresh.ages.view()});
  for (std::size_t i = 0; i < estimates.size(); ++i) {
    const auto decade = static_cast<std::size_t>(fresh.truth[i] / 10);
    ++decades.faces[decade];
    decades.inside[decade] +=
        estimates[i].low <= fresh.truth[i] && fresh.truth[i] <= estimates[i].high;
    decades.width += static_cast<double>(estimates[i].high - estimates[i].low) /
                     static_cast<double>(estimates.size());
  }
  for (std::size_t d = 0; d < 9; ++d) decades.inside[d] /= decades.faces[d];
  return decades;
}

}  // namespace

TEST_CASE("calibrate_intervals: in every decade about 80 %, where old people are read too young") {
  const TestContext ctx;
  const Gallery none;
  const HeadsThatErr held_out = read_too_young(31, 600), fresh = read_too_young(32, 9000);
  Calibration calibration;
  calibrate_intervals(ctx, none, calibration, 30, {.ages = held_out.ages.view()}, held_out.truth);
  CHECK(calibration.claim().by_age);
  const Decades each = by_decade(calibration, fresh);
  for (std::size_t d = 0; d < 9; ++d) {
    CAPTURE(d);
    REQUIRE(each.faces[d] >= 400);
    CHECK(each.inside[d] > 0.7);
    CHECK(each.inside[d] < 0.9);
  }
  // One factor for all, which is what older models have: too wide for children, too narrow for the
  // old.
  calibration.interval_widths.clear();
  CHECK(!calibration.claim().by_age);
  const Decades one = by_decade(calibration, fresh);
  CHECK(one.inside[0] > 0.95);
  CHECK(one.inside[8] < 0.4);
  MESSAGE("width of all, mean: " << each.width << " years, with one factor " << one.width);
  CHECK(each.width < 1.5 * one.width);
}

TEST_CASE("calibrate_intervals: ages that are read without error do not make an interval nothing") {
  const TestContext ctx;
  const Gallery none;
  HeadsThatErr held_out = heads_off_by_six(33, 200, 6);
  std::vector<double> means;
  Random random(34);
  for (std::size_t i = 0; i < 200; ++i) {
    const bool young = i < 100;
    held_out.truth[i] = young ? 5.0F : 60.0F;
    means.push_back(young ? 5 : 60 + 8 * random.normal());
  }
  held_out.ages = gaussian_heads(means, 3);
  Calibration calibration;
  calibrate_intervals(ctx, none, calibration, 30, {.ages = held_out.ages.view()}, held_out.truth);
  const auto& widths = calibration.interval_widths.at(ReadoutKind::expectation);
  REQUIRE(static_cast<Index>(widths.size()) == kWidthAges);
  for (const float w : widths) CHECK(w > 0.05F);
  CHECK(widths[12] > 5 * widths[1]);
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
    calibration.interval_widths = {{ReadoutKind::knn, {1, 2, 3}}};
    calibration.nearest_limit = 9;
    calibrate_intervals(ctx, references, calibration, 30, outputs, held_out.ages);
    return calibration;
  };
  const auto both = calibrated(gallery, {held_out.z.view(), ages.view()});
  CHECK(both.interval_scales.size() == comparing_readouts().size() + 1);  // and expectation
  CHECK(both.interval_widths.size() == both.interval_scales.size());
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
