#include "train/model_maker.h"

#include <doctest/doctest.h>

#include "tests/train/run_rig.h"

using namespace twinage;

TEST_CASE("a model's time: of the first one and of all looks, as far as its share of the minutes") {
  test::RunRig rig({Task::embedding});
  const auto seconds = [&](double minutes) {
    rig.config.minutes = minutes;
    return ModelMaker(rig.parts()).seconds(0.01);
  };
  rig.config.gallery_share = 0.1;
  // 50 faces once, and then six times; a tenth of 10, of 0.2 and of 0.01 minutes.
  CHECK(seconds(10) == doctest::Approx(0.5 + 3));
  CHECK(seconds(0.2) == doctest::Approx(1.2));
  CHECK(seconds(0.01) == doctest::Approx(0.5));  // the first model is made whatever it takes
  rig.config.mirror = rig.config.zooms = false;  // the first model is all there is
  CHECK(seconds(10) == doctest::Approx(0.5));
}
