// Layers whose parts have slices of channels of their own.
#include <algorithm>

#include <doctest/doctest.h>

#include "core/error.h"
#include "layers/layers.h"
#include "tests/layers/rig.h"

using namespace twinage;
using namespace twinage::test;

TEST_CASE("dense: parts write side by side, and each reads what was there before it") {
  const LayerPtr layer =
      dense("block", list(max_pool({2, 2, 0}), average_pool({1, 1, 0}), average_pool({1, 1, 0})));
  Rig rig(*layer, {1, 2, 4, 2}, Mode::train);
  CHECK(rig.y.view().shape == Shape{1, 1, 2, 2 + 2 + 4});
  rig.forward();
  for (Index q = 0; q < 2; ++q) {
    const float* y = rig.y.view().pixel(q);
    for (Index c = 0; c < 2; ++c) {
      const auto x = [&](Index p) { return rig.x.view().pixel(p)[c]; };
      CHECK(y[c] ==
            std::max(std::max(x(2 * q), x(2 * q + 1)), std::max(x(4 + 2 * q), x(5 + 2 * q))));
      for (const Index copy : {2, 4, 6}) CHECK(y[copy + c] == y[c]);
    }
  }
  rig.backward();
  double dx = 0, dy = 0;
  for (const float v : rig.dx.values()) dx += static_cast<double>(v);
  for (const float v : rig.dy.values()) dy += static_cast<double>(v);
  CHECK(dx == doctest::Approx(dy));  // every copy's gradient has come back, once
  CHECK(rig.guards_intact());
  CHECK(layer->name() == "block");
  CHECK_THROWS_AS(dense("none", {}), Error);
  const TestContext ctx;
  const LayerPtr odd = dense("odd", list(max_pool({2, 2, 0}), max_pool({2, 1, 0})));
  CHECK_THROWS_AS(odd->plan(ctx, {1, 4, 4, 2}, Mode::eval), Error);
  CHECK_THROWS_AS(bn_relu(4)->plan(ctx, {1, 4, 4, 2}, Mode::eval), Error);
}

TEST_CASE("split: each part has channels of x and of y of its own") {
  const auto make = [](Index second) {
    std::vector<Share> shares;
    shares.push_back({2, average_pool({1, 1, 0})});
    shares.push_back({second, average_pool({1, 1, 0})});
    return split(std::move(shares));
  };
  const LayerPtr layer = chain(list(make(2), product_of_halves()));
  Rig rig(*layer, {1, 1, 3, 4}, Mode::train);
  rig.forward();
  rig.backward();
  for (Index p = 0; p < 3; ++p)
    for (Index c = 0; c < 2; ++c) {
      const float *x = rig.x.view().pixel(p), *dx = rig.dx.view().pixel(p);
      const float dy = rig.dy.view().pixel(p)[c];
      CHECK(rig.y.view().pixel(p)[c] == x[c] * x[2 + c]);
      CHECK(dx[c] == dy * x[2 + c]);
      CHECK(dx[2 + c] == dy * x[c]);
    }
  CHECK(rig.guards_intact());
  const TestContext ctx;
  CHECK_THROWS_AS(make(2)->plan(ctx, {1, 1, 3, 5}, Mode::eval), Error);
  CHECK_THROWS_AS(product_of_halves()->plan(ctx, {1, 1, 3, 5}, Mode::eval), Error);
  CHECK_THROWS_AS(split({}), Error);
}
