#include "siamese/calibration.h"

#include <algorithm>
#include <cmath>

#include <doctest/doctest.h>

#include "core/error.h"
#include "core/random.h"

using namespace twinage;

namespace {

struct Pairs {
  std::vector<float> distances, gaps;
};

// The nearer, the likelier of the same class; distances with many ties.
Pairs random_pairs(std::uint64_t seed, std::size_t count) {
  Random random(seed);
  Pairs pairs;
  for (std::size_t i = 0; i < count; ++i) {
    const double distance = std::floor(random.uniform(0, 50)) / 10;
    pairs.distances.push_back(static_cast<float>(distance));
    pairs.gaps.push_back(random.chance(std::exp(-distance)) ? 1.0F : 20.0F);
  }
  return pairs;
}

template <class F>
double squared_error(const Pairs& pairs, F probability) {
  double sum = 0;
  for (std::size_t i = 0; i < pairs.distances.size(); ++i) {
    const double same = pairs.gaps[i] <= 3 ? 1 : 0;
    const double error = same - static_cast<double>(probability(pairs.distances[i]));
    sum += error * error;
  }
  return sum;
}

}  // namespace

TEST_CASE("calibrate: pools adjacent violators, by hand") {
  // In order of distance the pairs are same, other, same, other, other: (1) (1/2: 2, 3) (0: 4, 5).
  const std::vector<float> distances{4, 1, 2, 5, 3}, gaps{10, 0, 9, 30, 3};
  const Calibration calibration = calibrate(distances, gaps, 3);
  CHECK(calibration.distances == std::vector<float>{1, 3, 5});
  CHECK(calibration.probabilities == std::vector<float>{1, 0.5F, 0});
  CHECK(calibration.tau == 3);
  CHECK(calibration.probability(0) == 1);
  CHECK(calibration.probability(1) == 1);
  CHECK(calibration.probability(1.5F) == 0.5F);
  CHECK(calibration.probability(3) == 0.5F);
  CHECK(calibration.probability(4.9F) == 0);
  CHECK(calibration.probability(100) == 0);
}

TEST_CASE("calibrate: equal distances are one step, whatever their order") {
  const std::vector<float> distances{2, 2, 2, 2}, gaps{0, 10, 10, 10};
  const Calibration calibration = calibrate(distances, gaps, 3);
  CHECK(calibration.distances == std::vector<float>{2});
  CHECK(calibration.probabilities == std::vector<float>{0.25F});
}

TEST_CASE("calibrate: non-increasing, and of such functions the one of least squared error") {
  const Pairs pairs = random_pairs(1, 2000);
  const Calibration fit = calibrate(pairs.distances, pairs.gaps, 3);
  CHECK(fit.distances.size() > 5);
  CHECK(std::ranges::adjacent_find(fit.distances, std::greater_equal<>()) == fit.distances.end());
  CHECK(std::ranges::is_sorted(fit.probabilities, std::greater<>()));
  const double best = squared_error(pairs, [&](float d) { return fit.probability(d); });
  double same = 0;
  for (const float gap : pairs.gaps) same += gap <= 3 ? 1 : 0;
  const double share = same / 2000;
  CHECK(best < squared_error(
                   pairs, [&](float) { return share; }));
  CHECK(best < squared_error(
                   pairs, [](float d) { return std::exp(-d); }));  // even than the truth
  // Other non-increasing functions: the fit with one step moved half-way to a neighbour.
  for (std::size_t i = 0; i + 1 < fit.probabilities.size(); ++i)
    for (const std::size_t moved : {i, i + 1}) {
      Calibration other = fit;
      other.probabilities[moved] = (fit.probabilities[i] + fit.probabilities[i + 1]) / 2;
      CHECK(best < squared_error(
                       pairs, [&](float d) { return other.probability(d); }));
    }
}

TEST_CASE("calibration: finds the step of any distance, for any number of steps") {
  Calibration calibration;
  for (int steps = 1; steps <= 20; ++steps) {
    calibration.distances.push_back(static_cast<float>(steps));
    calibration.probabilities.push_back(1 / static_cast<float>(steps));
    for (float distance = 0; distance < 25; distance += 0.5F) {
      const float step = std::min(std::max(std::ceil(distance), 1.0F), static_cast<float>(steps));
      CHECK(calibration.probability(distance) == 1 / step);
    }
  }
}

TEST_CASE("calibrate: no pairs or numbers that are not finite are errors") {
  const std::vector<float> two{1, 2}, one{1}, with_nan{1, std::nanf("")};
  CHECK_THROWS_AS((void)calibrate({}, {}, 3), Error);
  CHECK_THROWS_AS((void)calibrate(two, one, 3), Error);
  CHECK_THROWS_AS((void)calibrate(with_nan, two, 3), Error);
  CHECK_THROWS_AS((void)calibrate(two, with_nan, 3), Error);
}

TEST_CASE(
    "interval claim: 80 % is claimed from enough held-out faces only, by the Beta distribution") {
  using Kind = IntervalClaim::Kind;
  CHECK(interval_claim(0).kind == Kind::unknown);
  for (const Index few : {1, 2, 3}) CHECK(interval_claim(few).kind == Kind::none);
  for (const Index some : {4, 10, 39}) CHECK(interval_claim(some).kind == Kind::rough);
  for (const Index enough : {40, 90, 1000}) CHECK(interval_claim(enough).kind == Kind::coverage);
  // The ranks of the 80 % and the 99 % quantile; of too few values the last.
  CHECK(conformal_rank(0.8, 4) == 4);
  CHECK(conformal_rank(0.8, 3) == 3);
  CHECK(conformal_rank(0.8, 49) == 40);
  CHECK(conformal_rank(0.99, 99) == 99);
  CHECK(conformal_rank(0.99, 1000) == 991);

  // What the header says of 40 faces, and the range of fewer, drawn: the share of uniform numbers
  // below the k-th smallest of n is that number itself.
  Random random(3);
  for (const Index n : {Index{12}, Index{39}, kHeldOutForCoverage, Index{41}, Index{53}}) {
    CAPTURE(n);
    const IntervalClaim claim = interval_claim(n);
    int near = 0, within = 0, below = 0;
    for (int draw = 0; draw < 40000; ++draw) {
      std::vector<double> values(static_cast<std::size_t>(n));
      for (double& value : values) value = random.uniform(0, 1);
      std::ranges::sort(values);
      const double share = values[static_cast<std::size_t>(conformal_rank(0.8, n) - 1)];
      near += share >= 0.7 && share <= 0.9 ? 1 : 0;
      within += share >= claim.low && share <= claim.high ? 1 : 0;
      below += share < claim.low ? 1 : 0;
    }
    // Three standard deviations of 40,000 draws: 0.0045.
    if (claim.kind == Kind::coverage) CHECK(near / 40000.0 > 0.9 - 0.0045);
    if (claim.kind == Kind::coverage) continue;
    CHECK(near / 40000.0 < 0.9);
    CHECK(within / 40000.0 == doctest::Approx(0.9).epsilon(0.005));
    CHECK(below / 40000.0 == doctest::Approx(0.05).epsilon(0.07));
  }
}

TEST_CASE("limit share: 99 % where enough faces were held out, else what their number supports") {
  Calibration calibration;
  for (const auto& [held_out, share] :
       {std::pair<Index, double>{19, 0.95}, {49, 0.98}, {99, 0.99}, {1000, 0.99}}) {
    calibration.held_out = held_out;
    CHECK(calibration.limit_share() == doctest::Approx(share));
  }
}
