#include "kernels/conv2d/conv2d.h"

#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "core/error.h"
#include "tests/support/test_context.h"

using namespace twinage;
using namespace twinage::test;

namespace {

struct Case {
  std::string name;
  Shape x, w;
  Conv2d conv;
  Index extra_channels = 0;  // of x and y, beyond the slice that is used
};

std::ostream& operator<<(std::ostream& out, const Case& c) {
  return out << c.name;
}

const std::vector<Case>& cases() {
  static const std::vector<Case> all = {
      {"stem: 3 channels, stride 2", {2, 19, 17, 3}, {32, 3, 3, 3}, {2, 0, 0}},
      {"3x3, no padding", {2, 9, 11, 16}, {48, 3, 3, 16}, {1, 0, 0}},
      {"3x3, padded", {2, 15, 13, 24}, {40, 3, 3, 24}, {1, 1, 1}},
      {"3x3, padded, slice", {2, 15, 13, 24}, {40, 3, 3, 24}, {1, 1, 1}, 8},
      {"3x3, padded, small map of many images", {13, 4, 3, 24}, {56, 3, 3, 24}, {1, 1, 1}},
      {"3x3, padded, small map of few images, slice", {3, 3, 3, 16}, {32, 3, 3, 16}, {1, 1, 1}, 16},
      {"3x3, stride 2", {2, 17, 17, 32}, {72, 3, 3, 32}, {2, 0, 0}, 8},
      {"3x3, stride 2, even extents: an edge that no window touches",
       {9, 8, 10, 16},
       {24, 3, 3, 16},
       {2, 0, 0}},
      {"3x3, stride 2, padded", {3, 9, 8, 8}, {16, 3, 3, 8}, {2, 1, 1}},
      {"5x5, padded", {2, 9, 9, 16}, {16, 5, 5, 16}, {1, 2, 2}},
      {"1x7", {2, 17, 17, 32}, {48, 1, 7, 32}, {1, 0, 3}},
      {"1x7, wider than the map", {9, 3, 3, 8}, {40, 1, 7, 8}, {1, 0, 3}},
      {"7x1", {2, 17, 17, 32}, {48, 7, 1, 32}, {1, 3, 0}, 8},
      {"7x1, higher than the map", {9, 3, 3, 8}, {40, 7, 1, 8}, {1, 3, 0}},
      {"1x3", {10, 8, 8, 24}, {24, 1, 3, 24}, {1, 0, 1}},
      {"3x1", {10, 8, 8, 24}, {24, 3, 1, 24}, {1, 1, 0}, 24},
      {"1x1", {3, 13, 7, 40}, {80, 1, 1, 40}, {1, 0, 0}},
      {"1x1, slice", {3, 13, 7, 40}, {104, 1, 1, 40}, {1, 0, 0}, 40},
      {"1x1, pixels a multiple of 2 KB apart", {2, 5, 5, 512}, {16, 1, 1, 512}, {1, 0, 0}, 8},
      {"1x1, stride 2", {2, 7, 9, 16}, {24, 1, 1, 16}, {2, 0, 0}},
      {"1x1, padded", {2, 5, 5, 8}, {8, 1, 1, 8}, {1, 1, 2}},
      {"2x2, stride 3: gaps between windows", {2, 11, 10, 8}, {16, 2, 2, 8}, {3, 0, 1}},
      {"3x2, stride 4, padding beyond the window", {2, 9, 9, 8}, {8, 3, 2, 8}, {4, 4, 3}},
      {"odd channel counts", {2, 7, 6, 5}, {7, 3, 3, 5}, {1, 1, 1}, 3},
      {"odd channel counts, many", {1, 5, 5, 33}, {101, 1, 3, 33}, {1, 0, 1}},
      {"one channel", {2, 6, 6, 1}, {1, 3, 3, 1}, {1, 0, 0}, 1},
      {"one pixel", {1, 1, 1, 16}, {16, 1, 1, 16}, {1, 0, 0}},
      {"one pixel, padded window", {1, 1, 1, 8}, {8, 3, 3, 8}, {1, 1, 1}},
      {"one image, several blocks of rows", {1, 61, 53, 48}, {24, 3, 3, 48}, {1, 1, 1}},
      {"many pixels, several groups", {3, 40, 40, 8}, {8, 3, 3, 8}, {1, 0, 0}},
      {"empty batch", {0, 9, 9, 8}, {16, 3, 3, 8}, {1, 1, 1}},
  };
  return all;
}

// A case's tensors, filled.
struct Problem {
  Problem(const Case& c, bool integers)
      : shape(conv2d_shape(c.x, c.w, c.conv)),
        x(c.x, c.extra_channels),
        w(c.w),
        dy(shape, c.extra_channels) {
    Random random(7);
    for (GuardedTensor* t : {&x, &w, &dy})
      integers ? t->fill_small_integers(random) : t->fill_uniform(random);
  }
  Shape shape;  // of y
  GuardedTensor x, w, dy;
};

TestContext context_for(const Case& c, int threads = 2) {
  Context sizing;
  sizing.device = test_device();
  sizing.threads = threads;
  return TestContext(conv2d_workspace(sizing, c.x, c.w, c.conv), threads);
}

// The same with tensor cores; `workspace` becomes its own.
Context context_with(Math math, const Case& c, Workspace& workspace) {
  Context ctx;
  ctx.device = test_device();
  ctx.math = math;
  workspace = Workspace(conv2d_workspace(ctx, c.x, c.w, c.conv), ctx.device);
  ctx.workspace = &workspace;
  return ctx;
}

// Terms of a sum: of forward, backward data, backward filter.
Index forward_terms(const Case& c) {
  return c.w.h * c.w.w * c.w.c;
}
Index data_terms(const Case& c) {
  return c.w.h * c.w.w * c.w.n;
}

}  // namespace

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
    CHECK(largest_error(y.view(), want_y.view()) == 0);
    CHECK(largest_error(dx.view(), want_dx.view()) == 0);
    CHECK(largest_error(dw.view(), want_dw.view()) == 0);
  }
}

TEST_CASE("conv2d: sizes for the large tiles of a GPU") {
  // The first for forward and backward data, the second for backward filter.
  for (const Case& c : {Case{"1x1", {4, 47, 49, 72}, {72, 1, 1, 72}, {1, 0, 0}, 4},
                        Case{"5x5", {1, 56, 56, 28}, {72, 5, 5, 28}, {1, 2, 2}}}) {
    CAPTURE(c);
    Problem problem(c, true);
    const TestContext ctx = context_for(c);
    const Shape channels = vector(c.w.n);
    GuardedTensor y(problem.shape, c.extra_channels), dx(c.x, c.extra_channels), dw(c.w),
        mean(channels), variance(channels), want_y(problem.shape), want_dx(c.x), want_dw(c.w),
        want_mean(channels), want_variance(channels);
    const View x = problem.x.view(), w = problem.w.view(), dy = problem.dy.view();
    if (c.w.h == 1) {
      conv2d_forward(ctx, y.view(), x, w, c.conv, {nullptr, false, mean.data(), variance.data()});
      conv2d_backward_data(ctx, dx.view(), dy, w, c.conv);
      naive::conv2d_forward(ctx, want_y.view(), x, w, c.conv,
                            {nullptr, false, want_mean.data(), want_variance.data()});
      naive::conv2d_backward_data(ctx, want_dx.view(), dy, w, c.conv, Write::overwrite);
      CHECK(largest_error(y.view(), want_y.view()) == 0);
      CHECK(largest_error(dx.view(), want_dx.view()) == 0);
      CHECK(close(mean.view(), want_mean.view(), tolerance_of_sum(forward_terms(c))));
      CHECK(close(variance.view(), want_variance.view(), tolerance_of_sum(forward_terms(c))));
    } else {
      conv2d_backward_filter(ctx, dw.view(), dy, x, c.conv, Write::overwrite);
      naive::conv2d_backward_filter(ctx, want_dw.view(), dy, x, c.conv, Write::overwrite);
      CHECK(largest_error(dw.view(), want_dw.view()) == 0);
    }
    for (const GuardedTensor* t : {&y, &dx, &dw, &mean, &variance}) CHECK(t->guards_intact());
  }
}

TEST_CASE("conv2d: tensor cores multiply small integers exactly") {
  if (test_device() == Device::cpu) return;  // has none
  for (const Case& c : cases()) {
    CAPTURE(c);
    Problem problem(c, true);
    const Shape channels = vector(c.w.n);
    const View x = problem.x.view(), w = problem.w.view(), dy = problem.dy.view();
    GuardedTensor want_y(problem.shape), want_dx(c.x), want_dw(c.w), want_mean(channels),
        want_variance(channels);
    const Context definition;
    naive::conv2d_forward(definition, want_y.view(), x, w, c.conv,
                          {nullptr, true, want_mean.data(), want_variance.data()});
    naive::conv2d_backward_data(definition, want_dx.view(), dy, w, c.conv, Write::overwrite);
    naive::conv2d_backward_filter(definition, want_dw.view(), dy, x, c.conv, Write::overwrite);
    for (Math math : {Math::tf32, Math::bf16}) {
      CAPTURE(math == Math::bf16);
      Workspace workspace;
      const Context ctx = context_with(math, c, workspace);
      GuardedTensor y(problem.shape, c.extra_channels), dx(c.x, c.extra_channels), dw(c.w),
          mean(channels), variance(channels);
      conv2d_forward(ctx, y.view(), x, w, c.conv, {nullptr, true, mean.data(), variance.data()});
      conv2d_backward_data(ctx, dx.view(), dy, w, c.conv);
      conv2d_backward_filter(ctx, dw.view(), dy, x, c.conv, Write::overwrite);
      CHECK(largest_error(y.view(), want_y.view()) == 0);
      CHECK(largest_error(dx.view(), want_dx.view()) == 0);
      CHECK(largest_error(dw.view(), want_dw.view()) == 0);
      // The statistics' own arithmetic is float32's.
      CHECK(close(mean.view(), want_mean.view(), tolerance_of_sum(forward_terms(c))));
      CHECK(close(variance.view(), want_variance.view(), tolerance_of_sum(forward_terms(c))));
      for (const GuardedTensor* t : {&y, &dx, &dw, &mean, &variance}) CHECK(t->guards_intact());
    }
  }
}

TEST_CASE("conv2d: tensor cores round operands, and nothing but operands") {
  if (test_device() == Device::cpu) return;  // has none
  const Case c{"", {2, 9, 11, 16}, {48, 3, 3, 16}, {1, 1, 1}};
  Problem problem(c, false);
  const View x = problem.x.view(), w = problem.w.view(), dy = problem.dy.view();
  GuardedTensor want_y(problem.shape), want_dx(c.x), want_dw(c.w);
  const Context definition;
  naive::conv2d_forward(definition, want_y.view(), x, w, c.conv, {});
  naive::conv2d_backward_data(definition, want_dx.view(), dy, w, c.conv, Write::overwrite);
  naive::conv2d_backward_filter(definition, want_dw.view(), dy, x, c.conv, Write::overwrite);
  for (const auto& [math, rounding] :
       {std::pair{Math::tf32, std::ldexp(1.0, -11)}, std::pair{Math::bf16, std::ldexp(1.0, -8)}}) {
    CAPTURE(rounding);
    Workspace workspace;
    const Context ctx = context_with(math, c, workspace);
    GuardedTensor y(problem.shape), dx(c.x), dw(c.w);
    conv2d_forward(ctx, y.view(), x, w, c.conv);
    conv2d_backward_data(ctx, dx.view(), dy, w, c.conv);
    conv2d_backward_filter(ctx, dw.view(), dy, x, c.conv, Write::overwrite);
    // Operands are off by `rounding` of themselves at most; products of numbers from [-1, 1] then
    // by 0.2 * rounding on average. The errors in a sum have random signs, and the largest of some
    // thousand sums lies 4 deviations out: at 0.8 * rounding * sqrt(terms). A fourth of that must
    // be there: an exact result would mean that the tensor cores were not used.
    const auto rounded = [&](ConstView got, ConstView want, Index terms) {
      const double tolerance = 2 * rounding * std::sqrt(static_cast<double>(terms));
      const double error = largest_error(got, want);
      CAPTURE(error / tolerance);
      CHECK(error <= tolerance);
      CHECK(error >= tolerance / 10);
    };
    rounded(y.view(), want_y.view(), forward_terms(c));
    rounded(dx.view(), want_dx.view(), data_terms(c));
    rounded(dw.view(), want_dw.view(), problem.shape.pixels());
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
        "[conv2d_forward] device cpu multiplies in fp32 only: set math to fp32");
  CHECK(std::isnan(y.view().data[0]));
}
