#include "kernels/batch_norm/batch_norm.h"

#include <doctest/doctest.h>

#include "core/error.h"
#include "tests/kernels/batch_norm_rig.h"
#include "tests/kernels/numeric_gradient.h"

namespace twinage {
namespace {

using namespace test;
using namespace batch_norm_rig;

TEST_CASE("batch_norm_statistics: equals naive") {
  Random random(1);
  for (const Case& c : kCases) {
    CAPTURE(to_string(c.x));
    const TestContext ctx = context_for(c.x);
    GuardedTensor x(c.x, c.extra);
    x.fill_uniform(random, -1, 3);
    GuardedTensor mean(vector(c.x.c)), variance(vector(c.x.c));
    GuardedTensor want_mean(vector(c.x.c)), want_variance(vector(c.x.c));
    naive::batch_norm_statistics(ctx, want_mean.data(), want_variance.data(), x.view());
    batch_norm_statistics(ctx, mean.data(), variance.data(), x.view());
    // A block's float32 sum of up to 256 values; the rest is summed in double.
    CHECK(close(mean.view(), want_mean.view(), tolerance_of_sum(256, 2)));
    CHECK(close(variance.view(), want_variance.view(), tolerance_of_sum(256, 2)));
    CHECK((mean.guards_intact() && variance.guards_intact() && x.guards_intact()));
  }
}

TEST_CASE("batch_norm_statistics: a large mean does not hide the variance") {
  // 1e4 + noise of variance 1/12: E[x^2] - E[x]^2 in float32 would be off by about 8.
  const Shape shape{4, 20, 20, 5};
  Random random(2);
  GuardedTensor x(shape), mean(vector(5)), variance(vector(5));
  for (Index p = 0; p < shape.pixels(); ++p)
    for (Index c = 0; c < shape.c; ++c)
      x.view().pixel(p)[c] = static_cast<float>(1e4 + random.uniform());
  GuardedTensor want_mean(vector(5)), want_variance(vector(5));
  const TestContext ctx = context_for(shape);
  naive::batch_norm_statistics(ctx, want_mean.data(), want_variance.data(), x.view());
  batch_norm_statistics(ctx, mean.data(), variance.data(), x.view());
  for (Index c = 0; c < shape.c; ++c) {
    CHECK(near(want_variance.data()[c], 1.0 / 12, 0.1));
    CHECK(near(variance.data()[c], want_variance.data()[c], 1e-6));
    CHECK(near(mean.data()[c], want_mean.data()[c], 1e-7));  // 1 ulp
  }
}

TEST_CASE("batch_norm_statistics: constant channels have variance 0, a single pixel is its mean") {
  for (const Shape shape : {Shape{1, 1, 1, 3}, Shape{2, 30, 30, 3}}) {
    const TestContext ctx = context_for(shape);
    GuardedTensor x(shape), mean(vector(3)), variance(vector(3));
    x.fill(0.75F);
    batch_norm_statistics(ctx, mean.data(), variance.data(), x.view());
    for (Index c = 0; c < 3; ++c) {
      CHECK(mean.data()[c] == 0.75F);
      CHECK(variance.data()[c] == 0);
    }
  }
}

TEST_CASE("batch_norm_apply: equals naive, also in place") {
  Random random(3);
  for (const Case& c : kCases)
    for (const bool relu : {false, true}) {
      CAPTURE(to_string(c.x));
      const TestContext ctx = context_for(c.x);
      const Channels per(c.x.c, random);
      const BatchNorm norm{.relu = relu};
      GuardedTensor x(c.x, c.extra), y(c.x, 2 * c.extra), want(c.x);
      x.fill_uniform(random, -2, 2);
      const auto run = [&](auto apply, View to) {
        apply(ctx, to, x.view(), per.mean.data(), per.variance.data(), per.gamma.data(),
              per.beta.data(), norm);
      };
      run(naive::batch_norm_apply, want.view());
      run(batch_norm_apply, y.view());
      CHECK(close(y.view(), want.view(), tolerance_of_sum(1)));  // a handful of roundings
      CHECK((x.guards_intact() && y.guards_intact()));
      run(batch_norm_apply, x.view());
      CHECK(bitwise_equal(x.view(), y.view()));
      CHECK(x.guards_intact());
    }
}

TEST_CASE("batch_norm_apply: keeps NaN visible through ReLU") {
  const Shape shape{1, 2, 2, 19};
  const TestContext ctx = context_for(shape);
  Random random(4);
  const Channels per(shape.c, random);
  GuardedTensor x(shape), y(shape);  // x is NaN throughout
  y.fill(0);
  batch_norm_apply(ctx, y.view(), x.view(), per.mean.data(), per.variance.data(), per.gamma.data(),
                   per.beta.data(), {});
  for (float value : y.values()) CHECK(value != value);
}

TEST_CASE("batch_norm_backward: equals naive, also with dx in dy's place") {
  Random random(5);
  for (const Case& c : kCases)
    for (const bool relu : {false, true}) {
      CAPTURE(to_string(c.x));
      const TestContext ctx = context_for(c.x);
      const BatchNorm norm{.relu = relu};
      BackwardInput input(ctx, c, random);
      const Channels& per = input.per;
      GuardedTensor &x = input.x, &dy = input.dy;
      Gradients got(c.x, c.extra), want(c.x), in_place(c.x);
      const auto run = [&](auto backward, View dx, Gradients& g) {
        backward(ctx, dx, g.dgamma.data(), g.dbeta.data(), dy.view(), x.view(), per.mean.data(),
                 per.variance.data(), per.gamma.data(), per.beta.data(), norm);
      };
      run(naive::batch_norm_backward, want.dx.view(), want);
      run(batch_norm_backward, got.dx.view(), got);
      // dx of a single pixel is rounding error times 1 / sqrt(epsilon): 32.
      CHECK(close(got.dx.view(), want.dx.view(), tolerance_of_sum(256, 4)));
      CHECK(close(got.dgamma.view(), want.dgamma.view(), tolerance_of_sum(c.x.pixels(), 4)));
      CHECK(close(got.dbeta.view(), want.dbeta.view(), tolerance_of_sum(c.x.pixels(), 4)));
      CHECK((got.dx.guards_intact() && got.dgamma.guards_intact() && got.dbeta.guards_intact()));
      run(batch_norm_backward, dy.view(), in_place);
      CHECK(bitwise_equal(dy.view(), got.dx.view()));
      CHECK(dy.guards_intact());
    }
}

// The formula of batch_norm.h once more, in double and through the batch's own statistics: the
// loss sum(weight * y) of x, gamma, beta, packed [pixels][channels].
double loss_of(const Doubles& x, const Doubles& gamma, const Doubles& beta, const Doubles& weight,
               Index channels, const BatchNorm& norm) {
  const std::size_t width = static_cast<std::size_t>(channels), pixels = x.size() / width;
  double loss = 0;
  for (std::size_t c = 0; c < width; ++c) {
    double mean = 0, variance = 0;
    for (std::size_t p = 0; p < pixels; ++p) mean += x[p * width + c];
    mean /= static_cast<double>(pixels);
    for (std::size_t p = 0; p < pixels; ++p)
      variance += (x[p * width + c] - mean) * (x[p * width + c] - mean);
    variance /= static_cast<double>(pixels);
    for (std::size_t p = 0; p < pixels; ++p) {
      const double xhat = (x[p * width + c] - mean) / std::sqrt(variance + norm.epsilon);
      const double y = gamma[c] * xhat + beta[c];
      loss += weight[p * width + c] * (norm.relu && y < 0 ? 0 : y);
    }
  }
  return loss;
}

TEST_CASE("batch_norm_backward: finite differences of x, gamma and beta") {
  Random random(6);
  const Shape shape{2, 3, 3, 5};
  for (const bool relu : {false, true}) {
    const TestContext ctx = context_for(shape);
    Channels per(shape.c, random);
    const BatchNorm norm{.relu = relu};
    GuardedTensor x(shape), dy(shape);
    x.fill_uniform(random, -2, 2);
    dy.fill_uniform(random);
    naive::batch_norm_statistics(ctx, per.mean.data(), per.variance.data(), x.view());
    const Doubles gamma = doubles(per.gamma.view()), beta = doubles(per.beta.view());
    const Doubles weight = doubles(dy.view()), x0 = doubles(x.view());
    const auto loss = [&](const Doubles& vx, const Doubles& vg, const Doubles& vb) {
      return loss_of(vx, vg, vb, weight, shape.c, norm);
    };
    const Doubles want_dx =
        numeric_gradient(x0, [&](const Doubles& v) { return loss(v, gamma, beta); });
    const Doubles want_dgamma =
        numeric_gradient(gamma, [&](const Doubles& v) { return loss(x0, v, beta); });
    const Doubles want_dbeta =
        numeric_gradient(beta, [&](const Doubles& v) { return loss(x0, gamma, v); });
    CHECK(largest_magnitude(want_dx) > 0.1);
    for (const auto backward : {naive::batch_norm_backward, batch_norm_backward}) {
      Gradients got(shape);
      got.dgamma.fill(0);
      got.dbeta.fill(0);
      backward(ctx, got.dx.view(), got.dgamma.data(), got.dbeta.data(), dy.view(), x.view(),
               per.mean.data(), per.variance.data(), per.gamma.data(), per.beta.data(), norm);
      // float32 inputs of magnitude 1, sums of 18 terms
      CHECK(largest_error(doubles(got.dx.view()), want_dx) <= 2e-6);
      CHECK(largest_error(doubles(got.dgamma.view()), want_dgamma) <= 4e-6);
      CHECK(largest_error(doubles(got.dbeta.view()), want_dbeta) <= 4e-6);
    }
  }
}

TEST_CASE("batch_norm: PyTorch 1.13's values") {
  // relu(BatchNorm1d(2, eps = 0.001)) of a (4, 2) batch in float64, backward of sum(weight * y).
  const Shape shape = matrix(4, 2);
  const TestContext ctx = context_for(shape);
  const SharedVector<float> x_values = {1, -1, 2, 0.5F, 4, -3, -1, 2};
  const SharedVector<float> dy_values = {1, 2, -1, 0.5F, 0.5F, 1, 3, -2};
  const SharedVector<float> gamma = {1.5F, -0.5F}, beta = {0.25F, 0.1F};
  const ConstView x{x_values.data(), shape}, dy{dy_values.data(), shape};
  const Doubles want_y = {0, 0.268909665538, 0.665961158066, 0, 2.329805790332, 0.809420595261, 0,
                          0};
  const Doubles want_dx = {0.127980666981, -0.290014126829, -0.751922404081, 0.135764312699,
                           0.399999560260, 0.133217991626,  0.223942176840,  0.021031822504};
  GuardedTensor mean(vector(2)), variance(vector(2)), y(shape), running(vector(2));
  batch_norm_statistics(ctx, mean.data(), variance.data(), x);
  batch_norm_apply(ctx, y.view(), x, mean.data(), variance.data(), gamma.data(), beta.data(), {});
  CHECK(largest_error(doubles(y.view()), want_y) <= 5e-7);
  Gradients g(shape);
  g.dgamma.fill(0);
  g.dbeta.fill(0);
  batch_norm_backward(ctx, g.dx.view(), g.dgamma.data(), g.dbeta.data(), dy, x, mean.data(),
                      variance.data(), gamma.data(), beta.data(), {});
  CHECK(largest_error(doubles(g.dx.view()), want_dx) <= 1e-6);
  CHECK(largest_error(doubles(g.dgamma.view()), {0.415961158066, -2.094479852676}) <= 1e-6);
  CHECK(largest_error(doubles(g.dbeta.view()), {-0.5, 3}) <= 1e-6);
  running.fill(1);  // as a new module's running variance
  GuardedTensor running_mean(vector(2));
  running_mean.fill(0);
  batch_norm_update_running(ctx, running_mean.data(), running.data(), mean.data(), variance.data(),
                            2, 4, {});
  CHECK(largest_error(doubles(running_mean.view()), {0.15, -0.0375}) <= 1e-7);
  CHECK(largest_error(doubles(running.view()), {1.333333333333, 1.35625}) <= 3e-7);
}

TEST_CASE("batch_norm: the same bits for 1, 2 and 3 threads") {
  Random random(7);
  const Shape shape{3, 20, 21, 70};
  GuardedTensor x(shape), dy(shape);
  x.fill_uniform(random);
  dy.fill_uniform(random);
  const Channels per(shape.c, random);
  std::vector<std::vector<float>> results;
  for (const int threads : {1, 2, 3}) {
    const TestContext ctx = context_for(shape, threads);
    GuardedTensor mean(vector(shape.c)), variance(vector(shape.c)), y(shape);
    batch_norm_statistics(ctx, mean.data(), variance.data(), x.view());
    batch_norm_apply(ctx, y.view(), x.view(), mean.data(), variance.data(), per.gamma.data(),
                     per.beta.data(), {});
    Gradients g(shape);
    batch_norm_backward(ctx, g.dx.view(), g.dgamma.data(), g.dbeta.data(), dy.view(), x.view(),
                        mean.data(), variance.data(), per.gamma.data(), per.beta.data(), {});
    std::vector<float> all;
    for (const GuardedTensor* t : {&mean, &variance, &y, &g.dx, &g.dgamma, &g.dbeta})
      for (float value : t->values()) all.push_back(value);
    results.push_back(all);
  }
  CHECK(results[0] == results[1]);
  CHECK(results[0] == results[2]);
}

TEST_CASE("batch_norm_update_running: PyTorch's unbiased variance") {
  const TestContext ctx;
  for (const auto update : {naive::batch_norm_update_running, batch_norm_update_running}) {
    SharedVector<float> mean = {1, -2}, variance = {3, 4};
    const SharedVector<float> batch_mean = {2, 0}, batch_variance = {1, 0.5F};
    update(ctx, mean.data(), variance.data(), batch_mean.data(), batch_variance.data(), 2, 5,
           {.momentum = 0.1F});
    CHECK(near(mean[0], 0.9 * 1 + 0.1 * 2, 1e-6));
    CHECK(near(mean[1], 0.9 * -2, 1e-6));
    CHECK(near(variance[0], 0.9 * 3 + 0.1 * 1 * 5 / 4, 1e-6));
    CHECK(near(variance[1], 0.9 * 4 + 0.1 * 0.5 * 5 / 4, 1e-6));
  }
  float one[] = {1};
  CHECK_THROWS_AS(batch_norm_update_running(ctx, one, one, one, one, 1, 1, {}), Error);
}

TEST_CASE("batch_norm_fold: scale and shift give what apply gives") {
  Random random(8);
  const Shape shape{1, 2, 3, 21};
  const TestContext ctx = context_for(shape);
  const Channels per(shape.c, random);
  GuardedTensor x(shape), y(shape), scale(vector(shape.c)), shift(vector(shape.c));
  x.fill_uniform(random);
  const BatchNorm norm{.relu = false};
  naive::batch_norm_apply(ctx, y.view(), x.view(), per.mean.data(), per.variance.data(),
                          per.gamma.data(), per.beta.data(), norm);
  for (const auto fold : {naive::batch_norm_fold, batch_norm_fold}) {
    fold(ctx, scale.data(), shift.data(), per.mean.data(), per.variance.data(), per.gamma.data(),
         per.beta.data(), shape.c, norm);
    for (Index p = 0; p < shape.pixels(); ++p)
      for (Index c = 0; c < shape.c; ++c)
        CHECK(std::fabs(x.view().pixel(p)[c] * scale.data()[c] + shift.data()[c] -
                        y.view().pixel(p)[c]) <= 1e-6);
  }
}

TEST_CASE("batch_norm: shapes that do not fit throw before anything is written") {
  const TestContext ctx = context_for({1, 2, 2, 4});
  GuardedTensor x({1, 2, 2, 4}), y({1, 2, 2, 5}), per(vector(4));
  x.fill(1);
  y.fill(7);
  CHECK_THROWS_AS(
      batch_norm_apply(ctx, y.view(), x.view(), per.data(), per.data(), per.data(), per.data(), {}),
      Error);
  CHECK_THROWS_AS(batch_norm_backward(ctx, y.view(), per.data(), per.data(), x.view(), x.view(),
                                      per.data(), per.data(), per.data(), per.data(), {}),
                  Error);
  for (float value : y.values()) CHECK(value == 7);
}

}  // namespace
}  // namespace twinage
