#include "kernels/tanh/tanh.h"

#include <cmath>
#include <limits>

#include <doctest/doctest.h>

#include "core/error.h"
#include "tests/kernels/numeric_gradient.h"
#include "tests/support/test_context.h"

namespace twinage {
namespace {

using namespace test;

TEST_CASE("tanh forward: a few units in the last place, from the smallest to beyond saturation") {
  const TestContext ctx;
  for (const float largest : {1e-6F, 1e-3F, 0.5F, 3.0F, 12.0F, 1e30F}) {
    CAPTURE(largest);
    Random random(3);
    GuardedTensor x({7, 5, 3, 37}, 2), y({7, 5, 3, 37}, 1);
    x.fill_uniform(random, -largest, largest);
    tanh_forward(ctx, y.view(), x.view());
    double worst = 0;
    const std::vector<float> in = x.values(), out = y.values();
    for (std::size_t i = 0; i < in.size(); ++i) {
      const double want = std::tanh(static_cast<double>(in[i]));
      const double error = std::fabs(out[i] - want) / std::fabs(want);
      if (!(error <= worst)) worst = error;
    }
    CHECK(worst <= 8 * std::ldexp(1.0, -24));
    CHECK(largest_magnitude(y.view()) <= 1.0 + std::ldexp(1.0, -22));
    CHECK((x.guards_intact() && y.guards_intact()));
  }
}

TEST_CASE("tanh: by hand, and 0, infinity and NaN") {
  const TestContext ctx;
  const float infinity = std::numeric_limits<float>::infinity();
  GuardedTensor x(vector(6)), y(vector(6)), dx(vector(6)), dy(vector(6));
  const float values[] = {0, 1, -1, infinity, -infinity, std::nanf("")};
  for (int i = 0; i < 6; ++i) x.data()[i] = values[i];
  dy.fill(2);
  tanh_forward(ctx, y.view(), x.view());
  CHECK(y.data()[0] == 0);
  CHECK(near(y.data()[1], 0.76159416, 1e-6));
  CHECK(near(y.data()[2], -0.76159416, 1e-6));
  CHECK(near(y.data()[3], 1, 1e-6));
  CHECK(near(y.data()[4], -1, 1e-6));
  CHECK(std::isnan(y.data()[5]));
  tanh_backward(ctx, dx.view(), dy.view(), y.view());
  CHECK(dx.data()[0] == 2);
  CHECK(near(dx.data()[1], 2 * 0.41997434, 1e-6));
  CHECK(std::fabs(dx.data()[3]) < 1e-5);
  CHECK(std::isnan(dx.data()[5]));
}

TEST_CASE("tanh backward: equals naive and finite differences, in place as well") {
  const TestContext ctx;
  for (const Shape shape : {Shape{2, 3, 5, 16}, Shape{1, 2, 2, 21}, Shape{0, 2, 2, 8}}) {
    Random random(4);
    GuardedTensor x(shape, 3), y(shape, 1), dy(shape, 2), dx(shape, 5), want(shape);
    x.fill_uniform(random, -2, 2);
    dy.fill_uniform(random);
    naive::tanh_forward(ctx, y.view(), x.view());
    naive::tanh_backward(ctx, want.view(), dy.view(), y.view());
    tanh_backward(ctx, dx.view(), dy.view(), y.view());
    CHECK(close(dx.view(), want.view(), tolerance_of_sum(1)));
    CHECK(dx.guards_intact());
    const Doubles weight = doubles(dy.view());
    const Doubles numeric = numeric_gradient(doubles(x.view()), [&](const Doubles& v) {
      double loss = 0;
      for (std::size_t i = 0; i < v.size(); ++i) loss += weight[i] * std::tanh(v[i]);
      return loss;
    });
    CHECK(largest_error(doubles(dx.view()), numeric) <= 1e-5);
    tanh_backward(ctx, dy.view(), dy.view(), y.view());
    CHECK(bitwise_equal(dy.view(), dx.view()));
    tanh_forward(ctx, x.view(), x.view());
    CHECK(close(x.view(), y.view(), 1e-6));
  }
  GuardedTensor a(vector(3)), b(vector(4));
  CHECK_THROWS_AS(tanh_forward(ctx, a.view(), b.view()), Error);
  CHECK_THROWS_AS(tanh_backward(ctx, a.view(), b.view(), a.view()), Error);
}

TEST_CASE("tanh: the same bits for 1, 2 and 3 threads") {
  Random random(5);
  GuardedTensor x({2, 40, 40, 17}), first({2, 40, 40, 17}), y({2, 40, 40, 17});
  x.fill_uniform(random, -5, 5);
  tanh_forward(TestContext(0, 1), first.view(), x.view());
  for (const int threads : {2, 3}) {
    tanh_forward(TestContext(0, threads), y.view(), x.view());
    CHECK(bitwise_equal(y.view(), first.view()));
  }
}

}  // namespace
}  // namespace twinage
