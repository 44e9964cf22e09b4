#include "kernels/soft_stagewise/soft_stagewise.h"

#include <cmath>

#include <doctest/doctest.h>

#include "core/error.h"
#include "tests/kernels/numeric_gradient.h"
#include "tests/support/test_context.h"

namespace twinage {
namespace {

using namespace test;

constexpr std::size_t kOfStage = 7;  // three bins, three shifts, one scale

// The header's formula once more.
double value_of(const Doubles& x, double range) {
  double sum = 0, width = 1;
  for (std::size_t k = 0; k < 3; ++k) {
    const double* at = x.data() + k * kOfStage;
    const double total = std::exp(at[0]) + std::exp(at[1]) + std::exp(at[2]);
    double mean = 0;
    for (std::size_t i = 0; i < 3; ++i)
      mean += std::exp(at[i]) / total * (static_cast<double>(i) + std::tanh(at[3 + i]));
    width *= 3 * (1 + 0.5 * std::tanh(at[6]));
    sum += mean / width;
  }
  return range * sum;
}

TEST_CASE("soft stagewise: by hand") {
  const TestContext ctx;
  GuardedTensor x(matrix(3, kStageNumbers)), y(matrix(3, 1));
  x.fill(0);  // the first row: every stage in the middle of its bins
  float* sure = x.view().pixel(1);
  for (std::size_t k = 0; k < 3; ++k) sure[k * kOfStage + 2] = 100;  // the last bin of each stage
  float* wide = x.view().pixel(2);
  wide[6] = 100;                      // the first stage's bins are half as wide again: 3 * 1.5
  wide[3] = wide[4] = wide[5] = 100;  // and shifted by one
  for (const auto run : {naive::soft_stagewise_forward, soft_stagewise_forward}) {
    run(ctx, y.view(), x.view(), 10.1F);
    CHECK(near(y.data()[0], 10.1 * (1.0 / 3 + 1.0 / 9 + 1.0 / 27), 1e-6));
    CHECK(near(y.data()[1], 10.1 * (2.0 / 3 + 2.0 / 9 + 2.0 / 27), 1e-6));
    CHECK(near(y.data()[2], 10.1 * (2.0 / 4.5 + 1.0 / 13.5 + 1.0 / 40.5), 1e-6));
  }
}

TEST_CASE("soft stagewise: equals naive, forward and backward") {
  Random random(1);
  const TestContext ctx;
  for (const Index rows : {0, 1, 3, 65})  // a block's threads, and one more
    for (const float spread : {1.0F, 30.0F, 1e4F}) {
      const Shape shape = matrix(rows, kStageNumbers), one = matrix(rows, 1);
      GuardedTensor x(shape, 2), y(one, 1), want(one), dy(one, 3), dx(shape, 4), want_dx(shape);
      x.fill_uniform(random, -spread, spread);
      dy.fill_uniform(random);
      naive::soft_stagewise_forward(ctx, want.view(), x.view(), 101);
      soft_stagewise_forward(ctx, y.view(), x.view(), 101);
      CHECK(close(y.view(), want.view(), 2e-6));
      for (const Write write : {Write::overwrite, Write::accumulate}) {
        if (write == Write::accumulate) {
          dx.fill(0.5F);
          want_dx.fill(0.5F);
        }
        naive::soft_stagewise_backward(ctx, want_dx.view(), dy.view(), x.view(), 101, write);
        soft_stagewise_backward(ctx, dx.view(), dy.view(), x.view(), 101, write);
        CHECK(close(dx.view(), want_dx.view(), 5e-6));
      }
      CHECK((y.guards_intact() && dx.guards_intact()));
    }
}

TEST_CASE("soft stagewise: finite differences") {
  Random random(2);
  const TestContext ctx;
  const Shape shape = matrix(4, kStageNumbers);
  GuardedTensor x(shape, 1), dy(matrix(4, 1)), dx(shape, 2);
  x.fill_uniform(random, -1.5F, 1.5F);
  dy.fill_uniform(random, 0.5F, 1.5F);
  for (Index n = 0; n < 4; ++n) {
    Doubles want = numeric_gradient(doubles(x.view().images(n, 1)),
                                    [](const Doubles& row) { return value_of(row, 10.1); });
    for (double& d : want) d *= dy.data()[n];
    for (const double d : want) CHECK(std::fabs(d) > 1e-3);
    for (const auto run : {naive::soft_stagewise_backward, soft_stagewise_backward}) {
      run(ctx, dx.view(), dy.view(), x.view(), 10.1F, Write::overwrite);
      CHECK(largest_error(doubles(dx.view().images(n, 1)), want) <= 3e-6);
    }
  }
}

TEST_CASE("soft stagewise: a NaN comes through, wherever it is, and stays in its row") {
  const TestContext ctx;
  for (Index at = 0; at < kStageNumbers; ++at) {
    CAPTURE(at);
    GuardedTensor x(matrix(2, kStageNumbers)), y(matrix(2, 1)), dx(matrix(2, kStageNumbers));
    x.fill(0.25F);
    x.view().pixel(1)[at] = std::nanf("");
    soft_stagewise_forward(ctx, y.view(), x.view(), 10);
    CHECK((std::isfinite(y.data()[0]) && std::isnan(y.data()[1])));
    soft_stagewise_backward(ctx, dx.view(), y.view(), x.view(), 10, Write::overwrite);
    CHECK((std::isfinite(dx.data()[0]) && std::isnan(dx.view().pixel(1)[at])));
  }
}

TEST_CASE("soft stagewise: what does not fit throws, and nothing is written") {
  const TestContext ctx;
  GuardedTensor x(matrix(2, kStageNumbers)), y(matrix(2, 1)), two(matrix(2, 2));
  GuardedTensor few(matrix(2, kStageNumbers - 1)), dx(matrix(2, kStageNumbers));
  x.fill(0);
  CHECK_THROWS_AS(soft_stagewise_forward(ctx, two.view(), x.view(), 10), Error);
  CHECK_THROWS_AS(soft_stagewise_forward(ctx, y.view(), few.view(), 10), Error);
  const auto backward = [&](View to, ConstView from) {
    soft_stagewise_backward(ctx, to, from, x.view(), 10, Write::overwrite);
  };
  CHECK_THROWS_AS(backward(few.view(), y.view()), Error);
  CHECK_THROWS_AS(backward(dx.view(), two.view()), Error);
  CHECK_THROWS_WITH_AS(backward(x.view(), y.view()), doctest::Contains("memory of its own"), Error);
  for (const float value : dx.values()) CHECK(value != value);
}

}  // namespace
}  // namespace twinage
