#include "kernels/conv2d/conv2d.h"

#include <cmath>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "core/error.h"
#include "tests/kernels/conv2d_cases.h"

using namespace twinage;
using namespace twinage::test;
using namespace twinage::test::conv2d;

TEST_CASE("conv2d: forward agrees with the definition") {
  for (const Case& c : cases()) {
    CAPTURE(c);
    Problem problem(c, false);
    const TestContext ctx = context_for(c);
    GuardedTensor y(problem.shape, c.extra_channels), want(problem.shape);
    conv2d_forward(ctx, y.view(), problem.x.view(), problem.w.view(), c.conv);
    naive::conv2d_forward(ctx, want.view(), problem.x.view(), problem.w.view(), c.conv, {});
    CHECK(close(y.view(), want.view(), tolerance_of_sum(forward_terms(c))));
    CHECK(y.guards_intact());
  }
}

TEST_CASE("conv2d: the epilogue agrees with the definition") {
  for (const Case& c : cases()) {
    CAPTURE(c);
    Problem problem(c, false);
    const TestContext ctx = context_for(c);
    const Shape channels = vector(c.w.n);
    GuardedTensor bias(channels), mean(channels), variance(channels), want_mean(channels),
        want_variance(channels), y(problem.shape, c.extra_channels), want(problem.shape);
    Random random(3);
    bias.fill_uniform(random);
    conv2d_forward(ctx, y.view(), problem.x.view(), problem.w.view(), c.conv,
                   {bias.data(), true, mean.data(), variance.data()});
    naive::conv2d_forward(ctx, want.view(), problem.x.view(), problem.w.view(), c.conv,
                          {bias.data(), true, want_mean.data(), want_variance.data()});
    const double tolerance = tolerance_of_sum(forward_terms(c));
    CHECK(close(y.view(), want.view(), tolerance));
    CHECK(close(mean.view(), want_mean.view(), tolerance));
    CHECK(close(variance.view(), want_variance.view(), tolerance));
    for (const GuardedTensor* t : {&y, &mean, &variance}) CHECK(t->guards_intact());
  }
}

TEST_CASE("conv2d: the variance survives a large mean") {
  // y = x * 1 + 0 with x = 1000 + noise of variance 1/3: E[y^2] - E[y]^2 in float32 would lose all
  // digits of the variance.
  const Case c{"", {4, 20, 20, 8}, {8, 1, 1, 8}, {1, 0, 0}};
  const TestContext ctx = context_for(c);
  GuardedTensor x(c.x), w(c.w), y(c.x), mean(vector(8)), variance(vector(8)), want_y(c.x),
      want_mean(vector(8)), want_variance(vector(8));
  Random random(1);
  x.fill_uniform(random, 999, 1001);
  w.fill(0);
  for (Index k = 0; k < 8; ++k) w.data()[k * 8 + k] = 1;
  conv2d_forward(ctx, y.view(), x.view(), w.view(), c.conv,
                 {nullptr, false, mean.data(), variance.data()});
  naive::conv2d_forward(ctx, want_y.view(), x.view(), w.view(), c.conv,
                        {nullptr, false, want_mean.data(), want_variance.data()});
  CHECK(close(mean.view(), want_mean.view(), 1e-6));
  CHECK(close(variance.view(), want_variance.view(), 1e-4));
}

TEST_CASE("conv2d: backward data agrees with the definition") {
  for (const Case& c : cases()) {
    CAPTURE(c);
    Problem problem(c, false);
    const TestContext ctx = context_for(c);
    GuardedTensor dx(c.x, c.extra_channels), want(c.x);
    conv2d_backward_data(ctx, dx.view(), problem.dy.view(), problem.w.view(), c.conv);
    naive::conv2d_backward_data(ctx, want.view(), problem.dy.view(), problem.w.view(), c.conv,
                                Write::overwrite);
    const double tolerance = tolerance_of_sum(data_terms(c));
    CHECK(close(dx.view(), want.view(), tolerance));
    CHECK(dx.guards_intact());

    conv2d_backward_data(ctx, dx.view(), problem.dy.view(), problem.w.view(), c.conv,
                         Write::accumulate);
    naive::conv2d_backward_data(ctx, want.view(), problem.dy.view(), problem.w.view(), c.conv,
                                Write::accumulate);
    CHECK(close(dx.view(), want.view(), tolerance));
  }
}

TEST_CASE("conv2d: backward filter agrees with the definition") {
  for (const Case& c : cases()) {
    CAPTURE(c);
    Problem problem(c, false);
    const TestContext ctx = context_for(c);
    GuardedTensor dw(c.w), want(c.w);
    const double tolerance = tolerance_of_sum(problem.shape.pixels());
    conv2d_backward_filter(ctx, dw.view(), problem.dy.view(), problem.x.view(), c.conv,
                           Write::overwrite);
    naive::conv2d_backward_filter(ctx, want.view(), problem.dy.view(), problem.x.view(), c.conv,
                                  Write::overwrite);
    CHECK(close(dw.view(), want.view(), tolerance));
    CHECK(dw.guards_intact());

    conv2d_backward_filter(ctx, dw.view(), problem.dy.view(), problem.x.view(), c.conv);
    naive::conv2d_backward_filter(ctx, want.view(), problem.dy.view(), problem.x.view(), c.conv,
                                  Write::accumulate);
    CHECK(close(dw.view(), want.view(), tolerance));
  }
}

TEST_CASE("conv2d: small integers give the same bits as the definition") {
  for (const Case& c : cases()) {
    CAPTURE(c);
    Problem problem(c, true);
    const TestContext ctx = context_for(c, 3);
    GuardedTensor y(problem.shape), dx(c.x), dw(c.w), want_y(problem.shape), want_dx(c.x),
        want_dw(c.w);
    const View x = problem.x.view(), w = problem.w.view(), dy = problem.dy.view();
    conv2d_forward(ctx, y.view(), x, w, c.conv);
    conv2d_backward_data(ctx, dx.view(), dy, w, c.conv);
    conv2d_backward_filter(ctx, dw.view(), dy, x, c.conv, Write::overwrite);
    naive::conv2d_forward(ctx, want_y.view(), x, w, c.conv, {});
    naive::conv2d_backward_data(ctx, want_dx.view(), dy, w, c.conv, Write::overwrite);
    naive::conv2d_backward_filter(ctx, want_dw.view(), dy, x, c.conv, Write::overwrite);
    const Fractions of = fractions(c);
    CHECK(integers_agree(y.view(), want_y.view(), of.forward, forward_terms(c)));
    CHECK(integers_agree(dx.view(), want_dx.view(), of.data, data_terms(c)));
    CHECK(largest_error(dw.view(), want_dw.view()) == 0);
  }
}

TEST_CASE("conv2d: the same bits for any number of threads") {
  for (const Case& c : cases()) {
    CAPTURE(c);
    Problem problem(c, false);
    const Shape channels = vector(c.w.n);
    GuardedTensor y(problem.shape), mean(channels), variance(channels), dx(c.x), dw(c.w);
    GuardedTensor y1(problem.shape), mean1(channels), variance1(channels), dx1(c.x), dw1(c.w);
    for (int threads : {1, 2, 3}) {
      CAPTURE(threads);
      const TestContext ctx = context_for(c, threads);
      const bool first = threads == 1;
      conv2d_forward(
          ctx, (first ? y1 : y).view(), problem.x.view(), problem.w.view(), c.conv,
          {nullptr, false, (first ? mean1 : mean).data(), (first ? variance1 : variance).data()});
      conv2d_backward_data(ctx, (first ? dx1 : dx).view(), problem.dy.view(), problem.w.view(),
                           c.conv);
      conv2d_backward_filter(ctx, (first ? dw1 : dw).view(), problem.dy.view(), problem.x.view(),
                             c.conv, Write::overwrite);
      if (first) continue;
      CHECK(bitwise_equal(y.view(), y1.view()));
      CHECK(bitwise_equal(mean.view(), mean1.view()));
      CHECK(bitwise_equal(variance.view(), variance1.view()));
      CHECK(bitwise_equal(dx.view(), dx1.view()));
      CHECK(bitwise_equal(dw.view(), dw1.view()));
    }
  }
}

TEST_CASE("conv2d: the definition's gradients are the derivatives of its forward pass") {
  const Case c{"", {2, 5, 4, 3}, {4, 3, 2, 3}, {2, 1, 1}};
  Problem problem(c, false);
  const Context ctx;
  // L = sum of y * dy is linear in x and in w: a central difference has no error of its own.
  const auto loss = [&] {
    GuardedTensor y(problem.shape);
    naive::conv2d_forward(ctx, y.view(), problem.x.view(), problem.w.view(), c.conv, {});
    const std::vector<float> values = y.values(), weights = problem.dy.values();
    double sum = 0;
    for (std::size_t i = 0; i < values.size(); ++i)
      sum += static_cast<double>(values[i]) * weights[i];
    return sum;
  };
  const auto check = [&](GuardedTensor& variable, const GuardedTensor& gradient) {
    const std::vector<float> got = gradient.values();
    for (std::size_t i = 0; i < got.size(); ++i) {
      const float saved = variable.data()[i], step = 0.5F;
      variable.data()[i] = saved + step;
      const double above = loss();
      variable.data()[i] = saved - step;
      const double below = loss();
      variable.data()[i] = saved;
      CHECK(std::fabs((above - below) / (2 * step) - got[i]) <= 1e-5);
    }
  };
  GuardedTensor dx(c.x), dw(c.w);
  naive::conv2d_backward_data(ctx, dx.view(), problem.dy.view(), problem.w.view(), c.conv,
                              Write::overwrite);
  naive::conv2d_backward_filter(ctx, dw.view(), problem.dy.view(), problem.x.view(), c.conv,
                                Write::overwrite);
  CHECK(largest_magnitude(dx.view()) > 0.1);
  CHECK(largest_magnitude(dw.view()) > 0.1);
  check(problem.x, dx);
  check(problem.w, dw);
}

TEST_CASE("conv2d: shapes that do not fit are refused before anything is written") {
  TestContext ctx(1 << 16);
  GuardedTensor x({1, 8, 8, 4}), w({8, 3, 3, 4}), y({1, 6, 6, 8});
  const auto message = [](auto call) -> std::string {
    try {
      call();
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  };
  CHECK(message([] {
          conv2d_shape({1, 8, 8, 4}, {8, 3, 3, 5}, {});
        }) == "[conv2d] expected w = (K, R, S, 4) for x = (1, 8, 8, 4), got w = (8, 3, 3, 5)");
  CHECK(message([] {
          conv2d_shape({1, 2, 8, 4}, {8, 3, 3, 4}, {});
        }) ==
        "[conv2d] expected a window within the padded picture, got w = (8, 3, 3, 4), "
        "x = (1, 2, 8, 4), padding 0 x 0");
  CHECK(message([] {
          conv2d_shape({1, 8, 8, 4}, {8, 3, 3, 4}, {0, 0, 0});
        }) == "[conv2d] expected stride >= 1 and padding >= 0, got stride 0, padding 0 x 0");
  CHECK(message([&] {
          conv2d_forward(ctx, y.view(), x.view(), w.view(), {1, 1, 1});
        }) ==
        "[conv2d_forward] expected y of (1, 8, 8, 8) for x = (1, 8, 8, 4), w = (8, 3, 3, 4), "
        "got (1, 6, 6, 8)");
  CHECK(message([&] {
          conv2d_backward_data(ctx, x.view(), y.view(), w.view(), {2, 0, 0});
        }).starts_with("[conv2d_backward_data] expected y of (1, 3, 3, 8)"));
  Context cpu = ctx;
  cpu.device = Device::cpu;
  cpu.math = Math::tf32;
  CHECK(message([&] { conv2d_forward(cpu, y.view(), x.view(), w.view(), {}); }) ==
        "[conv2d_forward] device cpu multiplies in fp32 or bf16, not in tf32");
  CHECK(std::isnan(y.view().data[0]));
}
