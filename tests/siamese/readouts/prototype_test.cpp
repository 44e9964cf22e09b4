#include <cmath>

#include <doctest/doctest.h>

#include "tests/siamese/readouts/example_faces.h"

using namespace twinage;
using namespace twinage::test;

TEST_CASE("prototype: the age whose mean is nearest") {
  std::vector<float> ages;
  for (int age = 10; age <= 60; ++age) ages.insert(ages.end(), 40, static_cast<float>(age));
  const Gallery gallery = line_gallery(ages);
  const auto estimate =
      estimate_one(gallery, Calibration(), {ReadoutKind::prototype, 1}, {3.48F, 0.5F});
  CHECK(estimate.age == 35);
}

TEST_CASE("prototype: where no age is nearer than another, the interval spans them all alike") {
  Gallery identical = line_gallery({10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 110});
  identical.embeddings.fill(1);
  const auto estimate = estimate_one(identical, Calibration(), {ReadoutKind::prototype, 1}, {1, 1});
  CHECK(estimate.age == 10);
  CHECK(estimate.high == doctest::Approx(104));  // 90 % of eleven equal weights
}
