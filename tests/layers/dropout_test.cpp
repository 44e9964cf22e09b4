#include <doctest/doctest.h>

#include "core/error.h"
#include "layers/layers.h"
#include "tests/layers/rig.h"

using namespace twinage;
using namespace twinage::test;

namespace {

std::vector<float> dropped(Layer& layer, std::uint64_t seed, std::uint64_t step, int threads = 2) {
  Rig rig(layer, {3, 5, 4, 7}, Mode::train, threads);
  layer.begin_step(seed, step);
  rig.forward();
  return rig.y.values();
}

}  // namespace

TEST_CASE("dropout: the mask is the step's and the name's, and inference knows none") {
  const LayerPtr layer = named("a", dropout(0.5)), other = named("b", dropout(0.5));
  const std::vector<float> first = dropped(*layer, 1, 5);
  CHECK(dropped(*layer, 1, 6) != first);
  CHECK(dropped(*layer, 2, 5) != first);
  CHECK(dropped(*other, 1, 5) != first);
  // A run that resumes makes the layer anew and plans it again.
  CHECK(dropped(*layer, 1, 5, 1) == first);
  CHECK(dropped(*named("a", dropout(0.5)), 1, 5, 3) == first);
  // In a composition, by its whole name.
  CHECK(dropped(*named("x", chain(list(named("a", dropout(0.5))))), 1, 5) ==
        dropped(*named("x.a", dropout(0.5)), 1, 5));
  CHECK(dropped(*named("x", concat(list(named("a", dropout(0.5))))), 1, 5) != first);

  Rig eval(*layer, {3, 5, 4, 7}, Mode::eval);
  eval.forward();
  CHECK(eval.y.values() == eval.x.values());
  CHECK(eval.guards_intact());
}

TEST_CASE("dropout: backward drops what forward dropped") {
  const LayerPtr layer = named("a", dropout(0.5));
  Rig rig(*layer, {3, 5, 4, 7}, Mode::train);
  rig.begin_step(9);
  rig.forward();
  rig.backward();
  const std::vector<float> y = rig.y.values(), dx = rig.dx.values();
  int kept = 0;
  for (std::size_t i = 0; i < y.size(); ++i) {
    CHECK((y[i] == 0) == (dx[i] == 0));
    kept += y[i] == 0 ? 0 : 1;
  }
  CHECK(kept > 150);  // of 420
  CHECK(kept < 270);
}

TEST_CASE("dropout: a step that nobody began is refused, in place of the last one's mask") {
  const TestContext ctx;
  const LayerPtr layer = named("a", dropout(0.5));
  GuardedTensor x(matrix(3, 4)), y(matrix(3, 4));
  CHECK_THROWS_AS(layer->begin_step(1, 0), Error);  // not planned
  layer->plan(ctx, matrix(3, 4), Mode::train);
  CHECK_THROWS_AS(layer->forward(ctx, y.view(), x.view(), Mode::train), Error);
  layer->begin_step(1, 0);
  layer->forward(ctx, y.view(), x.view(), Mode::train);
  layer->plan(ctx, matrix(3, 4), Mode::train);
  CHECK_THROWS_AS(layer->forward(ctx, y.view(), x.view(), Mode::train), Error);
  CHECK_THROWS_AS(layer->begin_step(1, std::uint64_t{1} << 32), Error);
  CHECK_THROWS_AS(dropout(1.0), Error);
}
