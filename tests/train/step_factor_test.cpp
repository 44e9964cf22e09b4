#include "train/step_factor.h"

#include <doctest/doctest.h>

using namespace twinage;

TEST_CASE("the step factor warms up and follows the cosine") {
  TrainConfig c;
  c.factor = 2;
  c.warmup_steps = 4;
  CHECK(step_factor(c, 0, 0) == doctest::Approx(0.5));
  CHECK(step_factor(c, 3, 0) == doctest::Approx(2));
  CHECK(step_factor(c, 100, 0.5) == doctest::Approx(1));
  CHECK(step_factor(c, 100, 1) == doctest::Approx(0));
  c.schedule = Schedule::constant;
  CHECK(step_factor(c, 100, 1) == 2);
}
