#include "train/faces/balance.h"

#include <cmath>
#include <limits>
#include <map>
#include <numeric>

#include <doctest/doctest.h>

#include "core/error.h"

using namespace twinage;

namespace {

// `count` faces of each age, young and old far enough apart not to be neighbours.
std::vector<float> of_ages(const std::map<float, int>& counts) {
  std::vector<float> ages;
  for (const auto& [age, count] : counts)
    ages.insert(ages.end(), static_cast<std::size_t>(count), age);
  return ages;
}

}  // namespace

TEST_CASE("balance: nothing is weighed where nothing is asked for") {
  const std::vector<float> ages{20, 20, 70};
  CHECK(draw_weights(ages, {}).empty());
  CHECK(draw_weights(ages, {.balance = 0, .children = 1}) == std::vector<double>{1, 1, 1});
}

TEST_CASE("balance: by hand, one over the density or its square root, with the mean 1") {
  const std::vector<float> ages = of_ages({{20, 16}, {70, 4}});
  // Densities 16 and 4: weights 1/16 and 1/4, of which 20 faces have the sum 2. Scaled: 5/8, 5/2.
  const auto uniform = draw_weights(ages, {.balance = 1});
  CHECK(uniform.front() == doctest::Approx(0.625));
  CHECK(uniform.back() == doctest::Approx(2.5));
  // Square roots: 1/4 and 1/2, the sum 6.
  const auto root = draw_weights(ages, {.balance = 0.5});
  CHECK(root.front() == doctest::Approx(20.0 / 6 / 4));
  CHECK(root.back() == doctest::Approx(20.0 / 6 / 2));
}

TEST_CASE("balance: neighbouring ages count by a Gaussian of two years, those far off not at all") {
  const std::vector<float> ages{40, 42.5F, 60, 68, 69};
  const auto w = draw_weights(ages, {.balance = 1});
  const double near = std::exp(-0.5), far = std::exp(-8.0), next = std::exp(-0.125);
  CHECK(w[1] == doctest::Approx(w[0]));  // 42.5 is of the year 42
  CHECK(w[2] / w[0] == doctest::Approx((1 + near) / (1 + far)));
  CHECK(w[3] / w[0] == doctest::Approx((1 + near) / (1 + far + next)));
  CHECK(w[4] / w[0] == doctest::Approx((1 + near) / (1 + next)));  // 60 is beyond eight years
}

TEST_CASE("balance: no face is drawn more than ten times an epoch, and the mean stays 1") {
  const std::vector<float> ages = of_ages({{20, 900}, {40, 90}, {60, 9}, {110, 1}});
  const auto w = draw_weights(ages, {.balance = 1});
  CHECK(std::accumulate(w.begin(), w.end(), 0.0) == doctest::Approx(1000));
  // 1000 - 10 * 10 draws are left for the 990 others, shared evenly by the two ages.
  CHECK(w.front() == doctest::Approx(0.5));
  CHECK(w[900] == doctest::Approx(5));
  CHECK(w[990] == doctest::Approx(10));
  CHECK(w.back() == doctest::Approx(10));
}

TEST_CASE("balance: children can be kept from being drawn less, or be drawn more") {
  // Many of age 1, as in UTKFace: balanced alone they would be drawn half as often as the mean
  // face.
  const std::vector<float> ages = of_ages({{1, 80}, {9.5F, 10}, {50, 40}});
  const auto alone = draw_weights(ages, {.balance = 1});
  CHECK(alone.front() == doctest::Approx(0.54).epsilon(0.01));
  const auto kept = draw_weights(ages, {.balance = 1, .children = 1});
  CHECK(std::accumulate(kept.begin(), kept.end(), 0.0) == doctest::Approx(130));
  CHECK(kept.front() / kept.back() == doctest::Approx(1 / alone.back()));
  CHECK(kept[80] / kept.back() == doctest::Approx(alone[80] / alone.back()));  // rare already
  const auto twice = draw_weights(of_ages({{9.5F, 30}, {10, 70}}), {.children = 2});
  CHECK(twice.front() == doctest::Approx(2 / 1.3));
  CHECK(twice.back() == doctest::Approx(1 / 1.3));
}

TEST_CASE("balance: options and ages out of range are errors") {
  const std::vector<float> ages{20, 30};
  for (const BalanceOptions bad :
       {BalanceOptions{-0.1, 0}, BalanceOptions{1.1, 0}, BalanceOptions{0, -1},
        BalanceOptions{0, 11}, BalanceOptions{std::numeric_limits<double>::quiet_NaN(), 0}})
    CHECK_THROWS_WITH_AS((void)draw_weights(ages, bad), doctest::Contains("[balance] expected"),
                         Error);
  CHECK_THROWS_AS((void)draw_weights({}, {.balance = 1}), Error);
  const std::vector<float> with_nan{20, std::nanf("")};
  CHECK_THROWS_AS((void)draw_weights(with_nan, {.balance = 1}), Error);
}
