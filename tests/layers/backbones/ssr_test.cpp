#include "layers/backbones/ssr.h"

#include <doctest/doctest.h>

#include "core/error.h"
#include "tests/layers/backbones/tower_case.h"

using namespace twinage;
using namespace twinage::test;

TEST_CASE("ssr agrees with the same network in PyTorch") {
  // float32 against float64, in units of a tensor's typical element. 5 convolutions deep.
  check_case("tower_ssr", "x153", *ssr(46, 0.5).layer, {2, 46, 46, 3}, 8e-4);
}

TEST_CASE("ssr: the paper's features, at any width, and its few parameters") {
  const TestContext ctx;
  const Stage whole = ssr(preset("ssr"));
  CHECK(whole.channels == 90 + 90 + 160);
  CHECK(whole.layer->plan(ctx, {2, 64, 64, 3}, Mode::eval) == matrix(2, 340));
  CHECK(ssr(64, 0.5).channels == 340);
  // 3 x 3 filters from 3 and 32 (16) channels, two norms' numbers a channel, the fusions.
  CHECK(trained_values(*whole.layer) ==
        9 * (3 * 48 + 3 * (32 * 32 + 16 * 16)) + 2 * 4 * 48 + 3 * 10 * (32 + 16 + 2));
  CHECK_THROWS_AS(ssr(37, 1.0), Error);  // no pixel is left for the fourth block
}
