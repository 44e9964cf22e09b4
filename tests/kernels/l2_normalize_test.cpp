#include "kernels/l2_normalize/l2_normalize.h"

#include <cmath>
#include <limits>

#include <doctest/doctest.h>

#include "core/error.h"
#include "tests/kernels/numeric_gradient.h"
#include "tests/support/test_context.h"

namespace twinage {
namespace {

using namespace test;

// A warp's lanes and their neighbours; one; more rows than a block has; none.
const Shape kShapes[] = {matrix(1, 1),  matrix(3, 2),    matrix(5, 31), matrix(4, 32),
                         matrix(9, 33), matrix(64, 128), matrix(0, 7)};

TEST_CASE("l2_normalize: equals naive, forward and backward, slices too") {
  Random random(1);
  const TestContext ctx;
  for (const Shape shape : kShapes)
    for (const Index extra : {0, 3}) {
      CAPTURE(to_string(shape));
      GuardedTensor x(shape, extra), y(shape, 2 * extra), dy(shape, extra), dx(shape, extra);
      GuardedTensor want(shape), want_dx(shape);
      x.fill_uniform(random);
      dy.fill_uniform(random);
      l2_normalize_forward(ctx, y.view(), x.view(), 1.5F);
      naive::l2_normalize_forward(ctx, want.view(), x.view(), 1.5F);
      CHECK(close(y.view(), want.view(), 1e-6));
      for (const Write write : {Write::overwrite, Write::accumulate}) {  // the first over NaN
        l2_normalize_backward(ctx, dx.view(), dy.view(), x.view(), 1.5F, write);
        naive::l2_normalize_backward(ctx, want_dx.view(), dy.view(), x.view(), 1.5F, write);
        CHECK(close(dx.view(), want_dx.view(), 3e-6));
      }
      CHECK((y.guards_intact() && dx.guards_intact() && x.guards_intact() && dy.guards_intact()));
    }
}

TEST_CASE("l2_normalize: every row has the radius as its length, and may be normalised in place") {
  Random random(2);
  const TestContext ctx;
  GuardedTensor x(matrix(6, 45)), y(matrix(6, 45));
  x.fill_uniform(random, -30, 10);
  l2_normalize_forward(ctx, y.view(), x.view(), 2.5F);
  for (Index n = 0; n < 6; ++n) {
    double square = 0;
    for (Index c = 0; c < 45; ++c) square += std::pow(static_cast<double>(y.view().pixel(n)[c]), 2);
    CHECK(near(std::sqrt(square), 2.5, 1e-6));
  }
  l2_normalize_forward(ctx, x.view(), x.view(), 2.5F);
  CHECK(bitwise_equal(x.view(), y.view()));
}

TEST_CASE(
    "l2_normalize: 3 and 4 on the circle of radius 10, and what pulls along the row is lost") {
  const TestContext ctx;
  const auto of_two = [](float a, float b) {
    GuardedTensor t(matrix(1, 2));
    t.data()[0] = a;
    t.data()[1] = b;
    return t;
  };
  const GuardedTensor x = of_two(3, 4);
  GuardedTensor y(matrix(1, 2)), dx(matrix(1, 2));
  l2_normalize_forward(ctx, y.view(), x.view(), 10);
  CHECK(near(y.data()[0], 6, 1e-6));
  CHECK(near(y.data()[1], 8, 1e-6));
  l2_normalize_backward(ctx, dx.view(), of_two(6, 8).view(), x.view(), 10, Write::overwrite);
  CHECK(largest_magnitude(dx.view()) < 1e-5);
  // Across: u = (.6, .8), dy = (-4, 3) is perpendicular to it, dx = 10 / 5 * dy.
  l2_normalize_backward(ctx, dx.view(), of_two(-4, 3).view(), x.view(), 10, Write::overwrite);
  CHECK(near(dx.data()[0], -8, 1e-6));
  CHECK(near(dx.data()[1], 6, 1e-6));
}

TEST_CASE("l2_normalize: finite differences") {
  Random random(3);
  const TestContext ctx;
  const Shape shape = matrix(3, 37);
  GuardedTensor x(shape), dy(shape), dx(shape);
  x.fill_uniform(random);
  dy.fill_uniform(random);
  const Doubles weights = doubles(dy.view());
  const Doubles want = numeric_gradient(doubles(x.view()), [&](const Doubles& at) {
    double total = 0;
    for (std::size_t n = 0; n < 3; ++n) {
      double square = 0;
      for (std::size_t c = 0; c < 37; ++c) square += at[n * 37 + c] * at[n * 37 + c];
      for (std::size_t c = 0; c < 37; ++c)
        total += weights[n * 37 + c] * 1.5 * at[n * 37 + c] / std::sqrt(square);
    }
    return total;
  });
  CHECK(largest_magnitude(want) > 0.3);
  for (const auto run : {naive::l2_normalize_backward, l2_normalize_backward}) {
    run(ctx, dx.view(), dy.view(), x.view(), 1.5F, Write::overwrite);
    CHECK(largest_error(doubles(dx.view()), want) <= 1e-6);
  }
}

TEST_CASE("l2_normalize: a row of zeros stays 0 and sends nothing back; NaN is not hidden") {
  const TestContext ctx;
  for (const bool definition : {true, false}) {
    const auto forward = definition ? naive::l2_normalize_forward : l2_normalize_forward;
    const auto backward = definition ? naive::l2_normalize_backward : l2_normalize_backward;
    GuardedTensor x(matrix(2, 3)), y(matrix(2, 3)), dx(matrix(2, 3));
    x.fill(0);
    x.data()[4] = std::numeric_limits<float>::quiet_NaN();
    GuardedTensor dy(matrix(2, 3));
    dy.fill(1);
    forward(ctx, y.view(), x.view(), 1);
    backward(ctx, dx.view(), dy.view(), x.view(), 1, Write::overwrite);
    for (Index c = 0; c < 3; ++c) {
      CHECK(y.view().pixel(0)[c] == 0);
      CHECK(dx.view().pixel(0)[c] == 0);
      CHECK(std::isnan(y.view().pixel(1)[c]));
      CHECK(std::isnan(dx.view().pixel(1)[c]));
    }
  }
}

TEST_CASE("l2_normalize: the same bits for 1, 2 and 3 threads") {
  Random random(4);
  GuardedTensor x(matrix(64, 128)), dy(matrix(64, 128));
  x.fill_uniform(random);
  dy.fill_uniform(random);
  std::vector<std::vector<float>> results;
  for (const int threads : {1, 2, 3}) {
    const TestContext ctx(0, threads);
    GuardedTensor dx(matrix(64, 128));
    l2_normalize_backward(ctx, dx.view(), dy.view(), x.view(), 2, Write::overwrite);
    results.push_back(dx.values());
  }
  CHECK(results[0] == results[1]);
  CHECK(results[0] == results[2]);
}

TEST_CASE("l2_normalize: what does not fit throws") {
  const TestContext ctx;
  GuardedTensor x(matrix(2, 3)), y(matrix(3, 2)), map({2, 2, 1, 3}), fits(matrix(2, 3));
  x.fill(1);
  map.fill(1);
  CHECK_THROWS_AS(l2_normalize_forward(ctx, y.view(), x.view(), 1), Error);
  CHECK_THROWS_AS(l2_normalize_forward(ctx, map.view(), map.view(), 1), Error);
  CHECK_THROWS_AS(l2_normalize_forward(ctx, fits.view(), x.view(), 0), Error);
  CHECK_THROWS_AS(
      l2_normalize_forward(ctx, fits.view(), x.view(), std::numeric_limits<float>::quiet_NaN()),
      Error);
  CHECK_THROWS_AS(l2_normalize_backward(ctx, fits.view(), y.view(), x.view(), 1, Write::overwrite),
                  Error);
  for (const float value : fits.values()) CHECK(value != value);  // nothing was written
}

}  // namespace
}  // namespace twinage
