#include "kernels/depthwise_conv2d/depthwise_conv2d.h"

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
  Shape x;
  Index R, S;
  Conv2d conv;
  Index extra = 0;  // channels of x and y beyond the slice that is used
};

// MobileNet's two (3 x 3, padded, stride 1 and 2), in rows of less than, just and more than what is
// taken at a time; windows wider than the map, with gaps between them, with padding beyond them;
// whole tensors and slices of a multiple of four channels, which CUDA reads 16 bytes at a time;
// more channels than a block of threads has, more rows than a task, more pixels than a range.
const Case kCases[] = {
    {{2, 9, 11, 16}, 3, 3, {1, 1, 1}},    {{2, 9, 11, 16}, 3, 3, {2, 1, 1}},
    {{2, 8, 10, 12}, 3, 3, {2, 1, 1}, 4}, {{1, 7, 13, 37}, 3, 3, {1, 1, 1}, 3},
    {{1, 6, 19, 21}, 3, 3, {2, 0, 0}, 2}, {{3, 3, 3, 40}, 3, 3, {1, 1, 1}},
    {{2, 2, 2, 8}, 3, 3, {2, 1, 1}},      {{2, 1, 1, 5}, 3, 3, {1, 1, 1}},
    {{1, 5, 14, 130}, 3, 3, {1, 0, 0}},   {{1, 9, 7, 6}, 5, 5, {1, 2, 2}, 1},
    {{2, 7, 9, 24}, 5, 3, {2, 2, 1}, 8},  {{1, 3, 17, 9}, 1, 7, {1, 0, 3}},
    {{1, 4, 3, 9}, 7, 1, {1, 3, 0}},      {{2, 11, 10, 8}, 2, 2, {3, 0, 1}},
    {{2, 9, 9, 8}, 3, 2, {4, 4, 3}},      {{1, 5, 6, 7}, 1, 1, {1, 0, 0}},
    {{1, 6, 6, 1}, 3, 3, {1, 1, 1}, 1},   {{3, 40, 37, 34}, 3, 3, {1, 1, 1}},
    {{0, 9, 9, 8}, 3, 3, {1, 1, 1}},
};

Shape filter_shape(const Case& c) {
  return {c.x.c, c.R, c.S, 1};
}

// A case's tensors, filled.
struct Problem {
  Problem(const Case& c, bool integers)
      : shape(depthwise_conv2d_shape(c.x, filter_shape(c), c.conv)),
        x(c.x, c.extra),
        w(filter_shape(c)),
        dy(shape, 2 * c.extra) {
    Random random(7);
    for (GuardedTensor* t : {&x, &w, &dy})
      integers ? t->fill_small_integers(random) : t->fill_uniform(random);
  }
  Shape shape;  // of y
  GuardedTensor x, w, dy;
};

TestContext context_for(const Case& c, int threads = 2) {
  Context sizing = planning();
  sizing.threads = threads;
  return TestContext(depthwise_conv2d_workspace(sizing, c.x, filter_shape(c), c.conv), threads);
}

SharedVector<float> biases(Index channels) {
  SharedVector<float> bias(static_cast<std::size_t>(channels));
  for (std::size_t c = 0; c < bias.size(); ++c) bias[c] = static_cast<float>(c % 5) - 2;
  return bias;
}

TEST_CASE("depthwise_conv2d: the shape is a convolution's, and what does not fit is refused") {
  CHECK(depthwise_conv2d_shape({2, 112, 112, 64}, {64, 3, 3, 1}, {2, 1, 1}) ==
        Shape{2, 56, 56, 64});
  CHECK(depthwise_conv2d_shape({2, 7, 7, 1024}, {1024, 3, 3, 1}, {1, 1, 1}) ==
        Shape{2, 7, 7, 1024});
  CHECK_THROWS_AS(depthwise_conv2d_shape({2, 7, 7, 8}, {4, 3, 3, 1}, {1, 1, 1}), Error);
  CHECK_THROWS_AS(depthwise_conv2d_shape({2, 7, 7, 8}, {8, 3, 3, 8}, {1, 1, 1}), Error);
  CHECK_THROWS_AS(depthwise_conv2d_shape({2, 2, 7, 8}, {8, 3, 3, 1}, {1, 0, 0}), Error);
  const TestContext ctx(1024);
  GuardedTensor x({1, 5, 5, 4}), w({4, 3, 3, 1}), y({1, 5, 5, 4}), small({1, 3, 3, 4});
  SharedVector<float> number(4);
  CHECK_THROWS_AS(depthwise_conv2d_forward(ctx, y.view(), x.view(), w.view(), {1, 0, 0}), Error);
  CHECK_THROWS_AS(depthwise_conv2d_backward_data(ctx, x.view(), small.view(), w.view(), {1, 1, 1}),
                  Error);
  CHECK_THROWS_AS(
      depthwise_conv2d_backward_filter(ctx, w.view(), small.view(), x.view(), {1, 1, 1}), Error);
  const ConvEpilogue statistics{.mean = number.data(), .variance = number.data()};
  CHECK_THROWS_AS(
      depthwise_conv2d_forward(ctx, y.view(), x.view(), w.view(), {1, 1, 1}, statistics), Error);
}

TEST_CASE("depthwise_conv2d: by hand, each channel with its own filter") {
  const TestContext ctx(1024);
  // Two channels of a 2 x 3 picture; channel 1 is ten times channel 0's numbers.
  GuardedTensor x({1, 2, 3, 2}), w({2, 3, 3, 1}), y({1, 2, 3, 2});
  for (Index p = 0; p < 6; ++p) {
    x.view().pixel(p)[0] = static_cast<float>(p + 1);  // 1 2 3 / 4 5 6
    x.view().pixel(p)[1] = static_cast<float>(10 * (p + 1));
  }
  w.fill(0);
  w.data()[4] = 2;      // channel 0: twice the middle,
  w.data()[5] = 1;      // and once the pixel at its right
  w.data()[9 + 1] = 1;  // channel 1: the pixel above
  depthwise_conv2d_forward(ctx, y.view(), x.view(), w.view(), {1, 1, 1});
  CHECK(y.values() == std::vector<float>{4, 0, 7, 0, 6, 0, 13, 10, 16, 20, 12, 30});
}

TEST_CASE("depthwise_conv2d forward: equals naive, epilogue and all") {
  for (const Case& c : kCases)
    for (const bool integers : {false, true}) {
      CAPTURE(to_string(c.x));
      CAPTURE(c.R);
      CAPTURE(c.conv.stride);
      Problem p(c, integers);
      const TestContext ctx = context_for(c);
      GuardedTensor y(p.shape, c.extra), want(p.shape);
      const SharedVector<float> bias = biases(c.x.c);
      for (const ConvEpilogue& epilogue :
           {ConvEpilogue{}, ConvEpilogue{.bias = bias.data()}, ConvEpilogue{.relu = true},
            ConvEpilogue{.bias = bias.data(), .relu = true}}) {
        naive::depthwise_conv2d_forward(ctx, want.view(), p.x.view(), p.w.view(), c.conv, epilogue);
        y.fill(7e30F);
        depthwise_conv2d_forward(ctx, y.view(), p.x.view(), p.w.view(), c.conv, epilogue);
        if (integers) CHECK(largest_error(y.view(), want.view()) == 0);
        CHECK(close(y.view(), want.view(), tolerance_of_sum(c.R * c.S)));
      }
      CHECK((p.x.guards_intact() && p.w.guards_intact() && y.guards_intact()));
    }
}

TEST_CASE("depthwise_conv2d is a convolution whose other filters are 0") {
  for (const Case& c : {kCases[0], kCases[2], kCases[10], kCases[14]}) {
    Problem p(c, true);
    const TestContext ctx = context_for(c);
    const Index C = c.x.c, taps = c.R * c.S;
    GuardedTensor dense({C, c.R, c.S, C}), ddense({C, c.R, c.S, C});
    dense.fill(0);
    for (Index k = 0; k < C; ++k)
      for (Index tap = 0; tap < taps; ++tap)
        dense.data()[(k * taps + tap) * C + k] = p.w.data()[k * taps + tap];
    GuardedTensor y(p.shape), want(p.shape), dx(c.x), want_dx(c.x), dw(filter_shape(c));
    naive::conv2d_forward(ctx, want.view(), p.x.view(), dense.view(), c.conv, {});
    depthwise_conv2d_forward(ctx, y.view(), p.x.view(), p.w.view(), c.conv);
    CHECK(largest_error(y.view(), want.view()) == 0);
    naive::conv2d_backward_data(ctx, want_dx.view(), p.dy.view(), dense.view(), c.conv,
                                Write::overwrite);
    depthwise_conv2d_backward_data(ctx, dx.view(), p.dy.view(), p.w.view(), c.conv);
    CHECK(largest_error(dx.view(), want_dx.view()) == 0);
    naive::conv2d_backward_filter(ctx, ddense.view(), p.dy.view(), p.x.view(), c.conv,
                                  Write::overwrite);
    depthwise_conv2d_backward_filter(ctx, dw.view(), p.dy.view(), p.x.view(), c.conv,
                                     Write::overwrite);
    double most = 0;
    for (Index k = 0; k < C; ++k)
      for (Index tap = 0; tap < taps; ++tap) {
        const float want_tap = ddense.data()[(k * taps + tap) * C + k];
        CHECK(dw.data()[k * taps + tap] == want_tap);
        most = std::max(most, std::fabs(static_cast<double>(want_tap)));
      }
    CHECK(
        (most > 5 && largest_magnitude(want.view()) > 5 && largest_magnitude(want_dx.view()) > 5));
  }
}

TEST_CASE("depthwise_conv2d backward: equals naive, overwriting and accumulating") {
  for (const Case& c : kCases)
    for (const bool integers : {false, true})
      for (const Write write : {Write::overwrite, Write::accumulate}) {
        CAPTURE(to_string(c.x));
        CAPTURE(c.R);
        CAPTURE(c.conv.stride);
        Problem p(c, integers);
        const TestContext ctx = context_for(c);
        GuardedTensor dx(c.x, 3 * c.extra), want_dx(c.x);
        GuardedTensor dw(filter_shape(c)), want_dw(filter_shape(c));
        if (write == Write::accumulate)
          for (GuardedTensor* t : {&dx, &want_dx, &dw, &want_dw}) t->fill(0.5F);
        naive::depthwise_conv2d_backward_data(ctx, want_dx.view(), p.dy.view(), p.w.view(), c.conv,
                                              write);
        depthwise_conv2d_backward_data(ctx, dx.view(), p.dy.view(), p.w.view(), c.conv, write);
        naive::depthwise_conv2d_backward_filter(ctx, want_dw.view(), p.dy.view(), p.x.view(),
                                                c.conv, write);
        depthwise_conv2d_backward_filter(ctx, dw.view(), p.dy.view(), p.x.view(), c.conv, write);
        if (integers) {
          CHECK(largest_error(dx.view(), want_dx.view()) == 0);
          CHECK(largest_error(dw.view(), want_dw.view()) == 0);
        }
        CHECK(close(dx.view(), want_dx.view(), tolerance_of_sum(c.R * c.S)));
        CHECK(close(dw.view(), want_dw.view(), tolerance_of_sum(p.shape.pixels())));
        CHECK((dx.guards_intact() && dw.guards_intact() && p.dy.guards_intact()));
      }
}

// sum(weight * y) in double, written once more.
double loss_of(const Doubles& x, const Doubles& w, const Doubles& weight, const Case& c,
               Shape out) {
  double loss = 0;
  for (Index i = 0; i < out.size(); ++i) {
    const Index k = i % out.c, q = i / out.c % out.w, p = i / out.c / out.w % out.h;
    const Index n = i / out.c / out.w / out.h;
    for (Index r = 0; r < c.R; ++r)
      for (Index s = 0; s < c.S; ++s) {
        const Index h = p * c.conv.stride + r - c.conv.pad_h;
        const Index v = q * c.conv.stride + s - c.conv.pad_w;
        if (h < 0 || v < 0 || h >= c.x.h || v >= c.x.w) continue;
        loss += weight[static_cast<std::size_t>(i)] *
                x[static_cast<std::size_t>(((n * c.x.h + h) * c.x.w + v) * c.x.c + k)] *
                w[static_cast<std::size_t>((k * c.R + r) * c.S + s)];
      }
  }
  return loss;
}

TEST_CASE("depthwise_conv2d backward: finite differences") {
  for (const Case& c : {Case{{2, 5, 6, 3}, 3, 3, {1, 1, 1}}, Case{{1, 7, 5, 2}, 3, 3, {2, 1, 1}},
                        Case{{1, 4, 7, 2}, 2, 3, {3, 1, 0}}}) {
    Problem p(c, false);
    const TestContext ctx = context_for(c);
    const Doubles x = doubles(p.x.view()), w = doubles(p.w.view()), dy = doubles(p.dy.view());
    const Doubles want_dx =
        numeric_gradient(x, [&](const Doubles& v) { return loss_of(v, w, dy, c, p.shape); });
    const Doubles want_dw =
        numeric_gradient(w, [&](const Doubles& v) { return loss_of(x, v, dy, c, p.shape); });
    CHECK((largest_magnitude(want_dx) > 0.1 && largest_magnitude(want_dw) > 0.1));
    for (const bool fast : {false, true}) {
      GuardedTensor dx(c.x), dw(filter_shape(c));
      (fast ? depthwise_conv2d_backward_data : naive::depthwise_conv2d_backward_data)(
          ctx, dx.view(), p.dy.view(), p.w.view(), c.conv, Write::overwrite);
      (fast ? depthwise_conv2d_backward_filter : naive::depthwise_conv2d_backward_filter)(
          ctx, dw.view(), p.dy.view(), p.x.view(), c.conv, Write::overwrite);
      CHECK(largest_error(doubles(dx.view()), want_dx) <= 1e-5);
      CHECK(largest_error(doubles(dw.view()), want_dw) <= 1e-5);
    }
  }
}

TEST_CASE("depthwise_conv2d: the same bits for 1, 2 and 3 threads") {
  for (const Case& c :
       {Case{{3, 40, 37, 34}, 3, 3, {1, 1, 1}}, Case{{5, 9, 8, 96}, 3, 3, {2, 1, 1}}}) {
    std::vector<std::vector<float>> results;
    for (const int threads : {1, 2, 3}) {
      Problem p(c, false);
      const TestContext ctx = context_for(c, threads);
      GuardedTensor y(p.shape), dx(c.x), dw(filter_shape(c));
      depthwise_conv2d_forward(ctx, y.view(), p.x.view(), p.w.view(), c.conv);
      depthwise_conv2d_backward_data(ctx, dx.view(), p.dy.view(), p.w.view(), c.conv);
      depthwise_conv2d_backward_filter(ctx, dw.view(), p.dy.view(), p.x.view(), c.conv,
                                       Write::overwrite);
      std::vector<float> all;
      for (const GuardedTensor* t : {&y, &dx, &dw})
        for (const float value : t->values()) all.push_back(value);
      results.push_back(all);
    }
    CHECK(results[0] == results[1]);
    CHECK(results[0] == results[2]);
  }
}

TEST_CASE("depthwise_conv2d: a NaN reaches what it has part in, and no other channel") {
  const Case c{{1, 5, 9, 20}, 3, 3, {1, 1, 1}};
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const SharedVector<float> bias = biases(c.x.c);
  Problem p(c, false);
  const TestContext ctx = context_for(c);
  GuardedTensor y(p.shape), dx(c.x), dw(filter_shape(c));
  p.x.view().pixel(2 * 9 + 4)[7] = nan;
  p.dy.view().pixel(0)[11] = nan;
  depthwise_conv2d_forward(ctx, y.view(), p.x.view(), p.w.view(), c.conv,
                           {.bias = bias.data(), .relu = true});
  depthwise_conv2d_backward_data(ctx, dx.view(), p.dy.view(), p.w.view(), c.conv);
  depthwise_conv2d_backward_filter(ctx, dw.view(), p.dy.view(), p.x.view(), c.conv,
                                   Write::overwrite);
  for (Index h = 0; h < 5; ++h)
    for (Index w = 0; w < 9; ++w)
      for (Index k = 0; k < 20; ++k) {
        const Index pixel = h * 9 + w;
        CHECK(std::isnan(y.view().pixel(pixel)[k]) ==
              (k == 7 && std::abs(h - 2) <= 1 && std::abs(w - 4) <= 1));
        CHECK(std::isnan(dx.view().pixel(pixel)[k]) == (k == 11 && h <= 1 && w <= 1));
      }
  for (Index k = 0; k < 20; ++k) CHECK(std::isnan(dw.data()[k * 9 + 4]) == (k == 7 || k == 11));
}

}  // namespace
}  // namespace twinage
