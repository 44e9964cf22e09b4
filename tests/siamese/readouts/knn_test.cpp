#include <doctest/doctest.h>

#include "tests/siamese/readouts/example_faces.h"

using namespace twinage;
using namespace twinage::test;

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
