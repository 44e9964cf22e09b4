#include "kernels/relu/relu.h"

#include <cmath>
#include <limits>

#include <doctest/doctest.h>

#include "core/error.h"
#include "tests/kernels/numeric_gradient.h"
#include "tests/support/test_context.h"

namespace twinage {
namespace {

using namespace test;

struct Case {
  Shape shape;
  Index extra = 0;
};

// 700 pixels of 70 channels are more than one task; slices of a multiple of four channels are read
// 16 bytes at a time by CUDA.
const Case kCases[] = {
    {{1, 1, 1, 1}},       {{2, 3, 5, 7}}, {{2, 3, 5, 31}, 2}, {{7, 10, 10, 70}},
    {{7, 10, 10, 70}, 1}, {{0, 3, 3, 4}}, {{3, 5, 4, 36}, 4}, {{3, 5, 4, 36}},
};

TEST_CASE("relu_backward: equals naive, bit for bit") {
  Random random(1);
  const TestContext ctx;
  for (const Case& c : kCases) {
    CAPTURE(to_string(c.shape));
    GuardedTensor y(c.shape, c.extra), dy(c.shape, 2 * c.extra), du(c.shape, c.extra);
    GuardedTensor want(c.shape);
    y.fill_small_integers(random);  // zeros among them
    dy.fill_uniform(random);
    naive::relu_backward(ctx, want.view(), dy.view(), y.view());
    relu_backward(ctx, du.view(), dy.view(), y.view());
    CHECK(bitwise_equal(du.view(), want.view()));
    CHECK((du.guards_intact() && dy.guards_intact() && y.guards_intact()));
    relu_backward(ctx, dy.view(), dy.view(), y.view());  // in place
    CHECK(bitwise_equal(dy.view(), want.view()));
  }
}

TEST_CASE("relu_backward: at 0 and below nothing passes; a NaN is not hidden") {
  const TestContext ctx;
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (const auto backward : {naive::relu_backward, relu_backward}) {
    GuardedTensor y(vector(5)), dy(vector(5)), du(vector(5));
    const float at[] = {-1, 0, 1, nan, 2}, gradient[] = {3, 4, 5, 6, nan};
    for (Index i = 0; i < 5; ++i) {
      y.data()[i] = at[i];
      dy.data()[i] = gradient[i];
    }
    backward(ctx, du.view(), dy.view(), y.view());
    CHECK(du.data()[0] == 0);
    CHECK(du.data()[1] == 0);
    CHECK(du.data()[2] == 5);
    CHECK(du.data()[3] == 6);
    CHECK(std::isnan(du.data()[4]));
  }
}

TEST_CASE("relu_backward: finite differences") {
  Random random(3);
  const TestContext ctx;
  const Shape shape{2, 3, 2, 5};
  GuardedTensor u(shape), y(shape), dy(shape), du(shape);
  u.fill_uniform(random);
  dy.fill_uniform(random);
  for (Index i = 0; i < shape.size(); ++i) y.data()[i] = std::max(0.0F, u.data()[i]);
  relu_backward(ctx, du.view(), dy.view(), y.view());
  const Doubles weight = doubles(dy.view());
  const Doubles want = numeric_gradient(doubles(u.view()), [&](const Doubles& x) {
    double loss = 0;
    for (std::size_t i = 0; i < x.size(); ++i) loss += weight[i] * std::max(0.0, x[i]);
    return loss;
  });
  CHECK(largest_magnitude(want) > 0.5);
  CHECK(largest_error(doubles(du.view()), want) < 1e-6);
}

TEST_CASE("relu_backward: shapes that do not fit are refused") {
  const TestContext ctx;
  GuardedTensor a(matrix(2, 3)), b(matrix(3, 2));
  CHECK_THROWS_AS(relu_backward(ctx, a.view(), b.view(), a.view()), Error);
  CHECK_THROWS_AS(relu_backward(ctx, b.view(), a.view(), a.view()), Error);
}

}  // namespace
}  // namespace twinage
