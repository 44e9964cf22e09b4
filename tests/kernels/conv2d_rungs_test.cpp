#include <cmath>
#include <string>

#include <doctest/doctest.h>

#include "core/error.h"
#include "kernels/conv2d/rungs/rungs.h"
#include "tests/support/test_context.h"

using namespace twinage;
using namespace twinage::test;

namespace {

struct Case {
  const char* name;
  Shape x, w;
  Conv2d conv;
};

// Pixels and channels that do not fill a last tile.
constexpr Case kCases[] = {
    {"3x3, padded", {2, 9, 7, 16}, {40, 3, 3, 16}, {1, 1, 1}},
    {"3x3, stride 2", {2, 13, 11, 32}, {72, 3, 3, 32}, {2, 0, 0}},
    {"1x7", {1, 9, 9, 48}, {16, 1, 7, 48}, {1, 0, 3}},
    {"1x1", {3, 6, 5, 32}, {96, 1, 1, 32}, {1, 0, 0}},
};

}  // namespace

TEST_CASE("conv2d rungs: each agrees with the definition") {
  if (test_device() == Device::cpu) return;  // they are CUDA kernels
  for (const Case& c : kCases) {
    CAPTURE(c.name);
    const Shape shape = conv2d_shape(c.x, c.w, c.conv);
    GuardedTensor x(c.x), w(c.w), x_integers(c.x), w_integers(c.w), want(shape), exact(shape);
    Random random(7);
    for (GuardedTensor* t : {&x, &w}) t->fill_uniform(random);
    for (GuardedTensor* t : {&x_integers, &w_integers}) t->fill_small_integers(random);
    const TestContext ctx;
    naive::conv2d_forward(ctx, want.view(), x.view(), w.view(), c.conv, {});
    naive::conv2d_forward(ctx, exact.view(), x_integers.view(), w_integers.view(), c.conv, {});
    for (int rung = 1; rung <= kConv2dRungs; ++rung) {
      CAPTURE(rung);
      const Index terms = c.w.h * c.w.w * c.w.c;
      // The tensor cores' operands are rounded to 11 bits: see the test of conv2d.
      const double tolerance =
          rung < 6 ? tolerance_of_sum(terms)
                   : 2 * std::ldexp(1.0, -11) * std::sqrt(static_cast<double>(terms));
      GuardedTensor y(shape);
      conv2d_rung(ctx, rung, y.view(), x.view(), w.view(), c.conv);
      CHECK(close(y.view(), want.view(), tolerance));
      conv2d_rung(ctx, rung, y.view(), x_integers.view(), w_integers.view(), c.conv);
      CHECK(largest_error(y.view(), exact.view()) == 0);
      CHECK(y.guards_intact());
    }
  }
}

TEST_CASE("conv2d rungs: what they cannot do is refused") {
  GuardedTensor x({1, 4, 4, 8}), w({8, 1, 1, 8}), y({1, 4, 4, 8});
  std::string message;
  try {
    conv2d_rung(TestContext(), 1, y.view(), x.view(), w.view(), {});
  } catch (const Error& error) {
    message = error.what();
  }
  CHECK(message ==
        "[conv2d_rung] expected whole tensors with C a multiple of 16, got x = (1, 4, 4, 8)");
  CHECK_THROWS_AS(conv2d_rung_name(7), Error);
}
