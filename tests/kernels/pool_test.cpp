#include "kernels/pool/pool.h"

#include <doctest/doctest.h>

#include "core/error.h"
#include "tests/kernels/numeric_gradient.h"
#include "tests/support/test_context.h"

namespace twinage {
namespace {

using namespace test;

struct Case {
  Shape x;
  Pool pool;
  Index extra = 0;
};

// The two poolings of Inception v3 (3x3 stride 2 without padding; 3x3 stride 1 with padding 1),
// and windows that leave pixels out, that do not overlap, that are the picture, or one pixel;
// more than 16 rows, which are more than one task of the backward; whole tensors and slices of a
// multiple of four channels, which CUDA reads 16 bytes at a time.
const Case kCases[] = {
    {{2, 7, 9, 16}, {3, 2, 0}},    {{2, 8, 8, 21}, {3, 2, 0}, 3}, {{1, 6, 5, 67}, {3, 1, 1}, 1},
    {{2, 1, 1, 3}, {3, 1, 1}},     {{1, 9, 7, 5}, {2, 3, 0}},     {{1, 5, 6, 33}, {5, 1, 0}},
    {{1, 5, 5, 12}, {5, 2, 2}, 2}, {{1, 3, 4, 1}, {1, 1, 0}},     {{1, 35, 3, 7}, {3, 2, 0}, 1},
    {{1, 37, 4, 2}, {5, 2, 1}},    {{1, 3, 3, 130}, {3, 1, 0}},   {{0, 8, 8, 16}, {3, 2, 0}},
    {{2, 6, 7, 44}, {3, 2, 0}, 4}, {{1, 5, 9, 36}, {3, 1, 1}},
};

TEST_CASE("pool_shape: rounds down, rejects what cannot be pooled") {
  CHECK(pool_shape({2, 147, 147, 64}, {3, 2, 0}) == Shape{2, 73, 73, 64});
  CHECK(pool_shape({2, 35, 35, 288}, {3, 2, 0}) == Shape{2, 17, 17, 288});
  CHECK(pool_shape({2, 35, 35, 192}, {3, 1, 1}) == Shape{2, 35, 35, 192});
  CHECK_THROWS_AS(pool_shape({2, 2, 9, 64}, {3, 2, 0}), Error);
  CHECK_THROWS_AS(pool_shape({2, 9, 9, 64}, {3, 2, 2}), Error);
  CHECK_THROWS_AS(pool_shape({2, 9, 9, 64}, {3, 0, 0}), Error);
}

TEST_CASE("pool forward: equals naive") {
  Random random(1);
  const TestContext ctx;
  for (const Case& c : kCases) {
    CAPTURE(to_string(c.x));
    const Shape out = pool_shape(c.x, c.pool);
    GuardedTensor x(c.x, c.extra), y(out, 2 * c.extra), want(out);
    x.fill_uniform(random);
    naive::max_pool_forward(ctx, want.view(), x.view(), c.pool);
    max_pool_forward(ctx, y.view(), x.view(), c.pool);
    CHECK(bitwise_equal(y.view(), want.view()));
    CHECK(y.guards_intact());
    y.fill(-9);
    naive::average_pool_forward(ctx, want.view(), x.view(), c.pool);
    average_pool_forward(ctx, y.view(), x.view(), c.pool);
    CHECK(close(y.view(), want.view(), tolerance_of_sum(1)));  // at most 25 terms / 25
    CHECK((x.guards_intact() && y.guards_intact()));
  }
}

TEST_CASE("max_pool_forward: padding never wins") {
  const TestContext ctx;
  GuardedTensor x({1, 3, 3, 19}), y({1, 3, 3, 19});
  x.fill(-2);
  max_pool_forward(ctx, y.view(), x.view(), {3, 1, 1});
  for (float value : y.values()) CHECK(value == -2);
}

TEST_CASE("pool backward: equals naive, overwriting and accumulating") {
  Random random(2);
  const TestContext ctx;
  for (const Case& c : kCases)
    for (const Write write : {Write::overwrite, Write::accumulate}) {
      CAPTURE(to_string(c.x));
      const Shape out = pool_shape(c.x, c.pool);
      GuardedTensor x(c.x, c.extra), y(out, c.extra), dy(out, 2 * c.extra);
      GuardedTensor dx(c.x, 3 * c.extra), want(c.x);
      x.fill_small_integers(random);  // many equal values: the first must win
      dy.fill_uniform(random);
      naive::max_pool_forward(ctx, y.view(), x.view(), c.pool);
      if (write == Write::accumulate) {
        dx.fill(0.5F);
        want.fill(0.5F);
      }
      naive::max_pool_backward(ctx, want.view(), dy.view(), x.view(), y.view(), c.pool, write);
      max_pool_backward(ctx, dx.view(), dy.view(), x.view(), y.view(), c.pool, write);
      // The same sums in the same order: the same bits, but for a -0.0 that a sum can hide.
      CHECK(largest_error(dx.view(), want.view()) == 0);
      CHECK(dx.guards_intact());

      if (write == Write::overwrite) dx.fill(7e30F);
      naive::average_pool_backward(ctx, want.view(), dy.view(), c.pool, write);
      average_pool_backward(ctx, dx.view(), dy.view(), c.pool, write);
      CHECK(close(dx.view(), want.view(), tolerance_of_sum(25, 1)));
      CHECK((dx.guards_intact() && dy.guards_intact() && x.guards_intact()));
    }
}

TEST_CASE("max_pool_backward: the first maximum in row-major order gets the gradient") {
  const TestContext ctx;
  for (const auto backward : {naive::max_pool_backward, max_pool_backward}) {
    GuardedTensor x({1, 3, 3, 17}), y({1, 1, 1, 17}), dy({1, 1, 1, 17}), dx({1, 3, 3, 17});
    x.fill(0);
    y.fill(4);
    dy.fill(2.5F);
    for (const Index pixel : {2, 3, 8})
      for (Index c = 0; c < 17; ++c) x.view().pixel(pixel)[c] = 4;
    backward(ctx, dx.view(), dy.view(), x.view(), y.view(), {3, 2, 0}, Write::overwrite);
    for (Index pixel = 0; pixel < 9; ++pixel)
      for (Index c = 0; c < 17; ++c) CHECK(dx.view().pixel(pixel)[c] == (pixel == 2 ? 2.5F : 0.0F));
  }
}

// sum(weight * pool(x)) in double, written once more.
double loss_of(const Doubles& x, const Doubles& weight, Shape in, Pool pool, bool average) {
  const Shape out = pool_shape(in, pool);
  double loss = 0;
  for (Index i = 0; i < out.size(); ++i) {
    const Index c = i % out.c, q = i / out.c % out.w, p = i / out.c / out.w % out.h;
    const Index n = i / out.c / out.w / out.h;
    double sum = 0, most = -1e300;
    for (Index h = p * pool.stride - pool.pad; h < p * pool.stride - pool.pad + pool.window; ++h)
      for (Index w = q * pool.stride - pool.pad; w < q * pool.stride - pool.pad + pool.window;
           ++w) {
        if (h < 0 || w < 0 || h >= in.h || w >= in.w) continue;
        const double value = x[static_cast<std::size_t>(((n * in.h + h) * in.w + w) * in.c + c)];
        sum += value;
        most = std::max(most, value);
      }
    const double area = static_cast<double>(pool.window * pool.window);
    loss += weight[static_cast<std::size_t>(i)] * (average ? sum / area : most);
  }
  return loss;
}

TEST_CASE("pool backward: finite differences") {
  Random random(3);
  const TestContext ctx;
  for (const Case& c : {Case{{2, 5, 7, 3}, {3, 2, 0}}, Case{{1, 4, 5, 3}, {3, 1, 1}}}) {
    const Shape out = pool_shape(c.x, c.pool);
    GuardedTensor x(c.x), y(out), dy(out);
    x.fill_uniform(random);
    dy.fill_uniform(random);
    naive::max_pool_forward(ctx, y.view(), x.view(), c.pool);
    const Doubles weight = doubles(dy.view());
    for (const bool average : {false, true}) {
      const Doubles want = numeric_gradient(doubles(x.view()), [&](const Doubles& v) {
        return loss_of(v, weight, c.x, c.pool, average);
      });
      CHECK(largest_magnitude(want) > 0.1);
      for (const bool fast : {false, true}) {
        GuardedTensor dx(c.x);
        if (average)
          (fast ? average_pool_backward : naive::average_pool_backward)(ctx, dx.view(), dy.view(),
                                                                        c.pool, Write::overwrite);
        else
          (fast ? max_pool_backward : naive::max_pool_backward)(ctx, dx.view(), dy.view(), x.view(),
                                                                y.view(), c.pool, Write::overwrite);
        CHECK(largest_error(doubles(dx.view()), want) <= 1e-6);
      }
    }
  }
}

TEST_CASE("global average pool: equals naive, and its gradient is the share of a pixel") {
  Random random(4);
  const TestContext ctx;
  for (const Case& c : {Case{{2, 8, 8, 70}, {}, 3}, Case{{3, 1, 1, 5}, {}}, Case{{1, 3, 5, 33}, {}},
                        Case{{0, 3, 5, 8}, {}}, Case{{2, 8, 8, 36}, {}, 4}}) {
    CAPTURE(to_string(c.x));
    const Shape out{c.x.n, 1, 1, c.x.c};
    GuardedTensor x(c.x, c.extra), y(out, c.extra), want(out);
    x.fill_uniform(random);
    naive::global_average_pool_forward(ctx, want.view(), x.view());
    global_average_pool_forward(ctx, y.view(), x.view());
    CHECK(close(y.view(), want.view(), tolerance_of_sum(1)));
    CHECK(y.guards_intact());
    GuardedTensor dx(c.x, c.extra), want_dx(c.x);
    for (const Write write : {Write::overwrite, Write::accumulate}) {
      naive::global_average_pool_backward(ctx, want_dx.view(), y.view(), write);
      global_average_pool_backward(ctx, dx.view(), y.view(), write);
      CHECK(close(dx.view(), want_dx.view(), tolerance_of_sum(1)));
      const float area = static_cast<float>(c.x.h * c.x.w);
      const float times = write == Write::overwrite ? 1.0F : 2.0F;
      if (c.x.n > 0) CHECK(near(dx.data()[0], times * y.data()[0] / area, 1e-5));
    }
    CHECK((dx.guards_intact() && x.guards_intact()));
  }
}

TEST_CASE("pool: the same bits for 1, 2 and 3 threads") {
  Random random(5);
  const Shape shape{2, 17, 15, 100};
  std::vector<std::vector<float>> results;
  GuardedTensor x(shape), dy(pool_shape(shape, {3, 2, 0})), dy1(shape);
  x.fill_uniform(random);
  dy.fill_uniform(random);
  dy1.fill_uniform(random);
  for (const int threads : {1, 2, 3}) {
    const TestContext ctx(0, threads);
    GuardedTensor y(pool_shape(shape, {3, 2, 0})), dx(shape), y1(shape), dx1(shape);
    max_pool_forward(ctx, y.view(), x.view(), {3, 2, 0});
    max_pool_backward(ctx, dx.view(), dy.view(), x.view(), y.view(), {3, 2, 0});
    average_pool_forward(ctx, y1.view(), x.view(), {3, 1, 1});
    average_pool_backward(ctx, dx1.view(), dy1.view(), {3, 1, 1});
    std::vector<float> all;
    for (const GuardedTensor* t : {&y, &dx, &y1, &dx1})
      for (float value : t->values()) all.push_back(value);
    results.push_back(all);
  }
  CHECK(results[0] == results[1]);
  CHECK(results[0] == results[2]);
}

TEST_CASE("pool: shapes that do not fit throw") {
  const TestContext ctx;
  GuardedTensor x({1, 5, 5, 4}), y({1, 3, 3, 4});
  CHECK_THROWS_AS(max_pool_forward(ctx, y.view(), x.view(), {3, 2, 0}), Error);
  CHECK_THROWS_AS(average_pool_forward(ctx, y.view(), x.view(), {3, 2, 0}), Error);
  CHECK_THROWS_AS(average_pool_backward(ctx, x.view(), y.view(), {3, 2, 0}), Error);
  CHECK_THROWS_AS(max_pool_backward(ctx, x.view(), y.view(), x.view(), y.view(), {3, 2, 0}), Error);
  CHECK_THROWS_AS(global_average_pool_forward(ctx, y.view(), x.view()), Error);
  CHECK_THROWS_AS(global_average_pool_backward(ctx, x.view(), y.view()), Error);
}

}  // namespace
}  // namespace twinage
