#include "siamese/interval_width.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include <doctest/doctest.h>

#include "core/random.h"

using namespace twinage;

namespace {

// 1 up to 50 years, 2 at 55, 3 from 60 on.
std::vector<float> wider_for_the_old() {
  std::vector<float> widths(kWidthAges, 1.0F);
  widths[11] = 2;
  std::fill(widths.begin() + 12, widths.end(), 3.0F);
  return widths;
}

// The definition: the farthest of many candidates whose own width reaches the age.
double farthest_candidate(std::span<const float> by_age, double age, double half,
                          double direction) {
  double farthest = 0;
  for (double r = 0; r <= 200; r += 0.01)
    if (r <= half * width_at(by_age, age + direction * r)) farthest = r;
  return farthest;
}

}  // namespace

TEST_CASE("interval width: straight lines between five years, constant beyond, 1 without any") {
  const std::vector<float> widths = wider_for_the_old();
  CHECK(width_at(widths, 50) == doctest::Approx(1));
  CHECK(width_at(widths, 53) == doctest::Approx(1.6));
  CHECK(width_at(widths, 59) == doctest::Approx(2.8));
  std::vector<float> ends = widths;
  ends.front() = 7;
  ends.back() = 4;
  CHECK(width_at(ends, -3) == doctest::Approx(7));
  CHECK(width_at(ends, 100) == doctest::Approx(4));
  CHECK(width_at(ends, 130) == doctest::Approx(4));
  CHECK(width_at({}, 40) == 1);
}

TEST_CASE("interval reach: by hand, it ends with the farthest age whose faces are read so") {
  const std::vector<float> widths = wider_for_the_old();
  // Somebody of 63 is read 18 years too young; ages in between belong to the hull.
  CHECK(interval_reach(widths, 45, 6, Side::above) == doctest::Approx(18));
  CHECK(interval_reach(widths, 45, 6, Side::below) == doctest::Approx(6));
  // 60 needs 15 and has 5 * 3, just enough.
  CHECK(interval_reach(widths, 45, 5, Side::above) == doctest::Approx(15));
  CHECK(interval_reach(widths, 45, 2, Side::above) == doctest::Approx(2));
  CHECK(interval_reach(widths, 70, 4, Side::above) == doctest::Approx(12));
  // Downwards: 60 has the width 3, 4 * 3 = 12, and needs 10; 55 has 8 and would need 15. Between
  // them 12 - 4 t = 10 + 5 t at t = 2 / 9 of the way.
  CHECK(interval_reach(widths, 70, 4, Side::below) == doctest::Approx(10 + 10.0 / 9));
  CHECK(interval_reach(widths, 45, 0, Side::above) == 0);
  CHECK(interval_reach({}, 45, 6, Side::above) == 6);
  CHECK(interval_reach({}, 45, 6, Side::below) == 6);
}

TEST_CASE("interval reach: as the definition says for any widths, also beyond their ages") {
  Random random(3);
  for (int trial = 0; trial < 60; ++trial) {
    std::vector<float> widths;
    for (Index i = 0; i < kWidthAges; ++i)
      widths.push_back(static_cast<float>(random.uniform(0.1, 4)));
    const double age = trial == 0   ? 0
                       : trial == 1 ? 100
                       : trial == 2 ? 112
                                    : random.uniform(0, 100);
    const double half = trial == 3 ? 40 : random.uniform(0.5, 20);
    CAPTURE(age);
    CAPTURE(half);
    for (const Side side : {Side::below, Side::above})
      CHECK(std::fabs(interval_reach(widths, age, half, side) -
                      farthest_candidate(widths, age, half, side == Side::above ? 1 : -1)) < 0.02);
  }
}
