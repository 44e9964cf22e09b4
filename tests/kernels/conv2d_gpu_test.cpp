// What only a GPU's convolutions have, simulated or not: large tiles, tensor cores, a vendor.
#include <cmath>
#include <utility>

#include <doctest/doctest.h>

#include "core/error.h"
#include "kernels/vendor.h"
#include "tests/kernels/conv2d_cases.h"

using namespace twinage;
using namespace twinage::test;
using namespace twinage::test::conv2d;

namespace {

// The same with tensor cores; `workspace` becomes its own.
Context context_with(Math math, const Case& c, Workspace& workspace) {
  Context ctx;
  ctx.device = test_device();
  ctx.math = math;
  workspace = Workspace(conv2d_workspace(ctx, c.x, c.w, c.conv), ctx.device);
  ctx.workspace = &workspace;
  return ctx;
}

}  // namespace

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
  for (const auto& [arithmetic, operand_rounding] :
       {std::pair{Math::tf32, std::ldexp(1.0, -11)}, std::pair{Math::bf16, std::ldexp(1.0, -8)}}) {
    const Math math = arithmetic;  // clang 14: no bindings in a lambda
    const double rounding = operand_rounding;
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

TEST_CASE("conv2d: NVIDIA's library agrees with the definition") {
  if (test_device() != Device::cuda) return;  // where alone it runs
  if (const std::string problem = vendor::cudnn_problem(); !problem.empty()) {
    MESSAGE("cuDNN was not tested: ", problem);
    return;
  }
  for (const Case& c : cases()) {
    CAPTURE(c);
    // cuDNN need not know windows that fit into the padding; no layer of ours has one.
    if (c.conv.pad_h >= c.w.h || c.conv.pad_w >= c.w.w) continue;
    Problem problem({c.name, c.x, c.w, c.conv}, false);
    const View x = problem.x.view(), w = problem.w.view(), dy = problem.dy.view();
    Context ctx;
    ctx.device = Device::cuda;
    ctx.vendor = true;
    Workspace workspace(conv2d_workspace(ctx, c.x, c.w, c.conv), ctx.device);
    ctx.workspace = &workspace;
    const Shape channels = vector(c.w.n);
    GuardedTensor bias(channels), mean(channels), y(problem.shape, c.extra_channels), dx(c.x),
        dw(c.w), want_y(problem.shape), want_dx(c.x), want_dw(c.w);
    Random random(3);
    bias.fill_uniform(random);
    CHECK_FALSE(conv2d_has_statistics(ctx));
    CHECK_THROWS_AS(
        conv2d_forward(ctx, y.view(), x, w, c.conv, {nullptr, false, mean.data(), mean.data()}),
        Error);
    conv2d_forward(ctx, y.view(), x, w, c.conv, {bias.data(), true});
    conv2d_backward_data(ctx, dx.view(), dy, w, c.conv);
    conv2d_backward_filter(ctx, dw.view(), dy, x, c.conv, Write::overwrite);
    naive::conv2d_forward(ctx, want_y.view(), x, w, c.conv, {bias.data(), true});
    naive::conv2d_backward_data(ctx, want_dx.view(), dy, w, c.conv, Write::overwrite);
    naive::conv2d_backward_filter(ctx, want_dw.view(), dy, x, c.conv, Write::overwrite);
    // cuDNN may use Winograd's transforms, whose rounding is a little larger.
    constexpr double kFactor = 64;
    CHECK(close(y.view(), want_y.view(), tolerance_of_sum(forward_terms(c), kFactor)));
    CHECK(close(dx.view(), want_dx.view(), tolerance_of_sum(data_terms(c), kFactor)));
    CHECK(y.guards_intact());
    CHECK(close(dw.view(), want_dw.view(), tolerance_of_sum(problem.shape.pixels(), kFactor)));
  }
}
