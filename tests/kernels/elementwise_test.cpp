#include "kernels/elementwise/elementwise.h"

#include <cmath>
#include <limits>

#include <doctest/doctest.h>

#include "core/error.h"
#include "tests/support/test_context.h"

namespace twinage {
namespace {

using namespace test;

struct Case {
  Shape shape;
  Index extra = 0;
};

// 40000 floats in a row, and 700 pixels of 70 channels, are more than one task.
const Case kCases[] = {
    {{1, 1, 1, 1}},       {{2, 3, 5, 7}}, {{2, 3, 5, 31}, 2}, {{1, 1, 1, 40000}}, {{7, 10, 10, 70}},
    {{7, 10, 10, 70}, 1}, {{0, 3, 3, 4}}, {{3, 5, 4, 36}, 4}, {{3, 5, 4, 36}},
};

TEST_CASE("elementwise: equals naive, bit for bit") {
  Random random(1);
  const TestContext ctx(all_finite_workspace(planning()));
  for (const Case& c : kCases) {
    CAPTURE(to_string(c.shape));
    GuardedTensor x(c.shape, c.extra), per_channel(vector(c.shape.c)), per_image(vector(c.shape.n));
    x.fill_uniform(random);
    per_channel.fill_uniform(random);
    per_image.fill_uniform(random);
    GuardedTensor y(c.shape, 2 * c.extra), want(c.shape);
    const auto agree = [&] {
      CHECK(bitwise_equal(y.view(), want.view()));
      CHECK((y.guards_intact() && x.guards_intact()));
    };
    fill(ctx, y.view(), 2.5F);
    naive::fill(ctx, want.view(), 2.5F);
    agree();
    copy(ctx, y.view(), x.view());
    naive::copy(ctx, want.view(), x.view());
    agree();
    add(ctx, y.view(), x.view());
    naive::add(ctx, want.view(), x.view());
    agree();
    add_bias(ctx, y.view(), per_channel.data());
    naive::add_bias(ctx, want.view(), per_channel.data());
    agree();
    scale_rows(ctx, y.view(), x.view(), per_image.data());
    naive::scale_rows(ctx, want.view(), x.view(), per_image.data());
    agree();
    CHECK(all_finite(ctx, x.view()));
    CHECK(naive::all_finite(ctx, x.view()));
    copy(ctx, y.view(), want.view());
    GuardedTensor towards(c.shape, c.extra);
    towards.fill_uniform(random);
    lerp(ctx, y.view(), towards.view(), 0.125F);
    naive::lerp(ctx, want.view(), towards.view(), 0.125F);
    CHECK(close(y.view(), want.view(), 1e-6));  // a GPU rounds once, the CPU twice
    CHECK((y.guards_intact() && towards.guards_intact()));
    GuardedTensor product(c.shape, c.extra);
    multiply(ctx, product.view(), y.view(), towards.view());
    naive::multiply(ctx, want.view(), y.view(), towards.view());
    CHECK(product.values() == want.values());
    multiply(ctx, y.view(), y.view(), towards.view());  // in place
    CHECK(y.values() == want.values());
    CHECK((product.guards_intact() && y.guards_intact()));
  }
}

TEST_CASE("elementwise: the formulas on numbers") {
  const TestContext ctx;
  GuardedTensor y(matrix(2, 3)), x(matrix(2, 3));
  x.fill(2);
  fill(ctx, y.view(), 10);
  add(ctx, y.view(), x.view());
  CHECK(y.values() == std::vector<float>(6, 12.0F));
  const SharedVector<float> bias = {1, 2, 3}, scale = {2, -1};
  add_bias(ctx, y.view(), bias.data());
  CHECK(y.values() == std::vector<float>{13, 14, 15, 13, 14, 15});
  scale_rows(ctx, y.view(), y.view(), scale.data());
  CHECK(y.values() == std::vector<float>{26, 28, 30, -13, -14, -15});
}

TEST_CASE("lerp: moves by a share of the way, whole and not at all") {
  const TestContext ctx;
  GuardedTensor y(matrix(1, 2)), x(matrix(1, 2));
  y.fill(8);
  x.fill(4);
  lerp(ctx, y.view(), x.view(), 0.25F);
  CHECK(y.values() == std::vector<float>{7, 7});
  lerp(ctx, y.view(), x.view(), 0);
  CHECK(y.values() == std::vector<float>{7, 7});
  lerp(ctx, y.view(), x.view(), 1);
  CHECK(y.values() == std::vector<float>{4, 4});
}

TEST_CASE("multiply: element by element, and NaN stays NaN") {
  const TestContext ctx;
  GuardedTensor y(matrix(1, 3)), a(matrix(1, 3)), b(matrix(1, 3));
  const float as[] = {2, -3, std::numeric_limits<float>::quiet_NaN()}, bs[] = {0.5F, 4, 0};
  for (Index i = 0; i < 3; ++i) {
    a.data()[i] = as[i];
    b.data()[i] = bs[i];
  }
  multiply(ctx, y.view(), a.view(), b.view());
  CHECK(y.values()[0] == 1);
  CHECK(y.values()[1] == -12);
  CHECK(std::isnan(y.values()[2]));
}

TEST_CASE("sum_pixels: equals naive and adds to what is there") {
  Random random(2);
  const TestContext ctx;
  for (const Case& c : kCases) {
    CAPTURE(to_string(c.shape));
    GuardedTensor x(c.shape, c.extra), sum(vector(c.shape.c)), want(vector(c.shape.c));
    x.fill_uniform(random);
    sum.fill(3);
    want.fill(3);
    sum_pixels(ctx, sum.data(), x.view());
    naive::sum_pixels(ctx, want.data(), x.view());
    CHECK(close(sum.view(), want.view(), 1e-7));  // both in double, rounded once
    CHECK((sum.guards_intact() && x.guards_intact()));
  }
  GuardedTensor x(matrix(3, 2)), sum(vector(2));
  x.fill(1.5F);
  sum.fill(-1);
  sum_pixels(ctx, sum.data(), x.view());
  CHECK(sum.values() == std::vector<float>{3.5F, 3.5F});
}

TEST_CASE("sum_pixels: the same bits for 1, 2 and 3 threads") {
  Random random(3);
  GuardedTensor x({3, 20, 21, 70});
  x.fill_uniform(random);
  std::vector<std::vector<float>> results;
  for (const int threads : {1, 2, 3}) {
    const TestContext ctx(0, threads);
    GuardedTensor sum(vector(70));
    sum.fill(0);
    sum_pixels(ctx, sum.data(), x.view());
    results.push_back(sum.values());
  }
  CHECK(results[0] == results[1]);
  CHECK(results[0] == results[2]);
}

TEST_CASE("all_finite: one NaN or infinity anywhere is found, the guards are not read") {
  const TestContext ctx(all_finite_workspace(planning()));
  constexpr float kWrong[] = {std::numeric_limits<float>::quiet_NaN(),
                              std::numeric_limits<float>::infinity(),
                              -std::numeric_limits<float>::infinity()};
  for (const Index extra : {0, 2})
    for (const Shape shape : {Shape{1, 1, 1, 21}, Shape{3, 40, 40, 9}})
      for (const float wrong : kWrong) {
        GuardedTensor x(shape, extra);
        x.fill(std::numeric_limits<float>::max());
        CHECK(all_finite(ctx, x.view()));
        for (const Index pixel : {Index{0}, shape.pixels() / 2, shape.pixels() - 1}) {
          float& value = x.view().pixel(pixel)[pixel % shape.c];
          value = wrong;
          CHECK_FALSE(all_finite(ctx, x.view()));
          CHECK_FALSE(naive::all_finite(ctx, x.view()));
          value = -0.0F;
          CHECK(all_finite(ctx, x.view()));
        }
        if (extra > 0) {
          x.data()[shape.c] = wrong;  // between the channels of the slice
          CHECK(all_finite(ctx, x.view()));
        }
      }
}

TEST_CASE("elementwise: shapes that do not fit throw") {
  const TestContext ctx;
  GuardedTensor x(matrix(2, 3)), y(matrix(3, 2));
  x.fill(0);
  CHECK_THROWS_AS(copy(ctx, y.view(), x.view()), Error);
  CHECK_THROWS_AS(add(ctx, y.view(), x.view()), Error);
  CHECK_THROWS_AS(multiply(ctx, y.view(), y.view(), x.view()), Error);
  CHECK_THROWS_AS(multiply(ctx, y.view(), x.view(), y.view()), Error);
  CHECK_THROWS_AS(scale_rows(ctx, y.view(), x.view(), x.data()), Error);
  CHECK_THROWS_AS(fill(ctx, View{y.data(), matrix(3, 2), 1}, 0), Error);  // ld < c
}

}  // namespace
}  // namespace twinage
