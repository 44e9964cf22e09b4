// Winograd's convolution (kernels/conv2d/winograd.h): that it is taken where it should be, that its
// error stays within the bound that the header states, and that a picture's bits are its own. That
// it agrees with the definition, with epilogues, slices and threads, is tested where all of
// conv2d's cases are (conv2d_test.cpp, bf16_views_test.cpp), some of which take it.
#include "kernels/conv2d/winograd.h"

#include <array>
#include <cmath>
#include <vector>

#include <doctest/doctest.h>

#include "tests/kernels/conv2d_cases.h"
#include "tests/kernels/on_cpu.h"

using namespace twinage;
using namespace twinage::test;
using namespace twinage::test::conv2d;

namespace {

using Matrix = std::vector<std::vector<double>>;

const Matrix kInput = {{4, 0, -5, 0, 1, 0},  {0, -4, -4, 1, 1, 0}, {0, 4, -4, -1, 1, 0},
                       {0, -2, -1, 2, 1, 0}, {0, 2, -1, -2, 1, 0}, {0, 4, 0, -5, 0, 1}};
const Matrix kFilter = {{1.0 / 4, 0, 0},
                        {-1.0 / 6, -1.0 / 6, -1.0 / 6},
                        {-1.0 / 6, 1.0 / 6, -1.0 / 6},
                        {1.0 / 24, 1.0 / 12, 1.0 / 6},
                        {1.0 / 24, -1.0 / 12, 1.0 / 6},
                        {0, 0, 1}};
const Matrix kOutput = {
    {1, 1, 1, 1, 1, 0}, {0, 1, -1, 2, -2, 0}, {0, 1, 1, 4, 4, 0}, {0, 1, -1, 8, -8, 1}};

Matrix magnitudes(Matrix m) {
  for (auto& row : m)
    for (double& value : row) value = std::fabs(value);
  return m;
}

const float* pixel(ConstView v, Index n, Index h, Index w) {
  return v.pixel((n * v.shape.h + h) * v.shape.w + w);
}

// m x m'
Matrix both_sides(const Matrix& m, const Matrix& x) {
  const std::size_t out = m.size(), in = x.size();
  Matrix y(out, std::vector<double>(out));
  for (std::size_t i = 0; i < out; ++i)
    for (std::size_t j = 0; j < out; ++j)
      for (std::size_t a = 0; a < in; ++a)
        for (std::size_t b = 0; b < in; ++b) y[i][j] += m[i][a] * x[a][b] * m[j][b];
  return y;
}

// The 4 x 4 outputs of filter k at (n, p, q) by the formula, in double, with all three matrices
// given.
Matrix tile_by(const Matrix& input, const Matrix& filter, const Matrix& output, ConstView x,
               ConstView w, Conv2d conv, std::array<Index, 3> place, Index k, bool absolute) {
  Matrix sums(6, std::vector<double>(6));
  const auto number = [&](double value) { return absolute ? std::fabs(value) : value; };
  for (Index c = 0; c < x.shape.c; ++c) {
    Matrix d(6, std::vector<double>(6)), g(3, std::vector<double>(3));
    for (Index i = 0; i < 6; ++i)
      for (Index j = 0; j < 6; ++j) {
        const Index row = place[1] - conv.pad_h + i, column = place[2] - conv.pad_w + j;
        if (row < 0 || column < 0 || row >= x.shape.h || column >= x.shape.w) continue;
        d[i][j] = number(pixel(x, place[0], row, column)[c]);
      }
    for (Index r = 0; r < 3; ++r)
      for (Index s = 0; s < 3; ++s) g[r][s] = number(pixel(w, k, r, s)[c]);
    const Matrix u = both_sides(filter, g), v = both_sides(input, d);
    for (Index i = 0; i < 6; ++i)
      for (Index j = 0; j < 6; ++j) sums[i][j] += u[i][j] * v[i][j];
  }
  return both_sides(output, sums);
}

// Calls f(n, p, q) for each tile of y.
template <class F>
void each_tile(Shape y, F f) {
  for (Index n = 0; n < y.n; ++n)
    for (Index p = 0; p < y.h; p += 4)
      for (Index q = 0; q < y.w; q += 4) f(n, p, q);
}

const Case kCase{"", {2, 11, 13, 17}, {18, 3, 3, 17}, {1, 1, 1}};

bool taken(const Case& c, Math math = Math::fp32) {
  Context ctx;
  ctx.math = math;
  return cpu::takes_winograd(ctx, cpu::geometry_of(c.x, c.w, c.conv), c.w.n);
}

}  // namespace

TEST_CASE("winograd: the formula is the convolution, in exact arithmetic") {
  Problem problem(kCase, false);
  GuardedTensor want(problem.shape);
  naive::conv2d_forward({}, want.view(), problem.x.view(), problem.w.view(), kCase.conv, {});
  double worst = 0;
  each_tile(problem.shape, [&](Index n, Index p, Index q) {
    const Matrix y = tile_by(kInput, kFilter, kOutput, problem.x.view(), problem.w.view(),
                             kCase.conv, {n, p, q}, 5, false);
    for (Index i = 0; i < std::min<Index>(4, problem.shape.h - p); ++i)
      for (Index j = 0; j < std::min<Index>(4, problem.shape.w - q); ++j)
        worst = std::max(worst, std::fabs(y[i][j] - pixel(want.view(), n, p + i, q + j)[5]));
  });
  CHECK(worst < 1e-6);
}

TEST_CASE("winograd: the error stays within the bound that the header states") {
  // Numbers of very different sizes: where the sums of a tile cancel, or its neighbour is large.
  REQUIRE(taken(kCase));
  Problem problem(kCase, false);
  Random random(11);
  for (float* at : {problem.x.data(), problem.w.data()})
    for (Index i = 0; i < 400; ++i)
      at[i] *= std::ldexp(1.0F, static_cast<int>(random.uniform() * 24) - 12);
  const OnCpu cpu(Math::fp32, 2, kCase);
  GuardedTensor y(problem.shape), want(problem.shape);
  const ConstView x = problem.x.view(), w = problem.w.view();
  conv2d_forward(cpu.ctx, y.view(), x, w, kCase.conv);
  naive::conv2d_forward({}, want.view(), x, w, kCase.conv, {});
  double largest = 0;  // share of the bound
  for (Index k = 0; k < problem.shape.c; ++k)
    each_tile(problem.shape, [&](Index n, Index p, Index q) {
      const Matrix bound = tile_by(magnitudes(kInput), magnitudes(kFilter), magnitudes(kOutput), x,
                                   w, kCase.conv, {n, p, q}, k, true);
      for (Index i = 0; i < std::min<Index>(4, problem.shape.h - p); ++i)
        for (Index j = 0; j < std::min<Index>(4, problem.shape.w - q); ++j) {
          const double error = std::fabs(static_cast<double>(pixel(y.view(), n, p + i, q + j)[k]) -
                                         pixel(want.view(), n, p + i, q + j)[k]);
          const double share =
              error / (static_cast<double>(kCase.x.c + 40) * std::ldexp(1.0, -24) * bound[i][j]);
          largest = share > largest || std::isnan(share) ? share : largest;
        }
    });
  CHECK(largest <= 1);
  CHECK(largest > 1e-4);  // it was computed so, and the bound says something
}

TEST_CASE("winograd: every pass that can take it does: integers are no longer exact") {
  for (Math math : {Math::fp32, Math::bf16}) {
    const Case c{"", {2, 14, 14, 64}, {64, 3, 3, 64}, {1, 1, 1}};
    REQUIRE(taken(c, math));
    Problem problem(c, true);
    const OnCpu cpu(math, 2, c);
    const View x = problem.x.view(), w = problem.w.view(), dy = problem.dy.view();
    GuardedTensor y(problem.shape), dx(c.x), want_y(problem.shape), want_dx(c.x);
    conv2d_forward(cpu.ctx, y.view(), x, w, c.conv);
    conv2d_backward_data(cpu.ctx, dx.view(), dy, w, c.conv);
    naive::conv2d_forward({}, want_y.view(), x, w, c.conv, {});
    naive::conv2d_backward_data({}, want_dx.view(), dy, w, c.conv, Write::overwrite);
    CHECK(largest_error(y.view(), want_y.view()) > 0);
    CHECK(largest_error(dx.view(), want_dx.view()) > 0);
    CHECK(conv2d_packed_floats(cpu.ctx, c.x, c.w, c.conv) == 36 * 64 * 64);
  }
}

TEST_CASE("winograd: rounding costs some three times what it costs the direct sum") {
  // Maps of 9 x 9 pixels are too small for it, those of 10 x 10 are not.
  const auto error = [](Index side) {
    const Case c{"", {4, side + 2, side + 2, 96}, {96, 3, 3, 96}, {1, 0, 0}};
    REQUIRE(taken(c) == (side == 10));
    Problem problem(c, false);
    const OnCpu cpu(Math::fp32, 2, c);
    GuardedTensor y(problem.shape), want(problem.shape);
    conv2d_forward(cpu.ctx, y.view(), problem.x.view(), problem.w.view(), c.conv);
    naive::conv2d_forward({}, want.view(), problem.x.view(), problem.w.view(), c.conv, {});
    const std::vector<float> got = y.values(), exact = want.values();
    double errors = 0, squares = 0;
    for (std::size_t i = 0; i < got.size(); ++i) {
      const double difference = static_cast<double>(got[i]) - exact[i];
      errors += difference * difference;
      squares += static_cast<double>(exact[i]) * exact[i];
    }
    return std::sqrt(errors / squares);
  };
  const double direct = error(9), winograd = error(10);
  MESSAGE("error, root mean square, of the results': direct " << direct << ", Winograd "
                                                              << winograd);
  CHECK(winograd < 5 * direct);
  CHECK(winograd > 2 * direct);
}

TEST_CASE("winograd: a picture's bits do not depend on the pictures beside it") {
  for (Math math : {Math::fp32, Math::bf16}) {
    const Case many{"", {9, 23, 21, 40}, {33, 3, 3, 40}, {1, 1, 0}};
    REQUIRE(taken(many, math));
    Problem problem(many, false);
    const OnCpu cpu(math, 2, many);
    GuardedTensor y(problem.shape);
    conv2d_forward(cpu.ctx, y.view(), problem.x.view(), problem.w.view(), many.conv);
    for (const Index n : {Index{0}, Index{4}, Index{8}}) {
      CAPTURE(n);
      Shape one = many.x, one_y = problem.shape;
      one.n = one_y.n = 1;
      GuardedTensor alone(one_y);
      conv2d_forward(cpu.ctx, alone.view(), {pixel(problem.x.view(), n, 0, 0), one, one.c},
                     problem.w.view(), many.conv);
      CHECK(bitwise_equal(alone.view(), ConstView(pixel(y.view(), n, 0, 0), one_y, one_y.c)));
    }
  }
}

TEST_CASE("winograd: taken for wide 3 x 3 windows of stride 1 on maps that are not small") {
  CHECK(taken({"", {1, 12, 12, 16}, {16, 3, 3, 16}, {1, 0, 0}}));
  CHECK_FALSE(taken({"", {1, 12, 12, 15}, {16, 3, 3, 15}, {1, 0, 0}}));
  CHECK_FALSE(taken({"", {1, 12, 12, 16}, {15, 3, 3, 16}, {1, 0, 0}}));
  CHECK_FALSE(taken({"", {1, 12, 11, 16}, {16, 3, 3, 16}, {1, 0, 0}}));
  CHECK_FALSE(taken({"", {1, 23, 23, 16}, {16, 3, 3, 16}, {2, 0, 0}}));
  CHECK_FALSE(taken({"", {1, 23, 23, 16}, {16, 5, 3, 16}, {1, 0, 0}}));
  CHECK_FALSE(taken({"", {1, 23, 23, 16}, {16, 3, 5, 16}, {1, 0, 0}}));
  CHECK_FALSE(taken({"", {1, 12, 12, 31}, {32, 3, 3, 31}, {1, 0, 0}}, Math::bf16));
  CHECK(taken({"", {1, 12, 12, 32}, {32, 3, 3, 32}, {1, 0, 0}}, Math::bf16));
}
