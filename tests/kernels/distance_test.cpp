#include "kernels/distance/distance.h"

#include <doctest/doctest.h>

#include "core/error.h"
#include "tests/kernels/numeric_gradient.h"
#include "tests/support/test_context.h"

namespace twinage {
namespace {

using namespace test;

// Every pair of `rows` rows; row order alternates, so that a is not always the smaller.
SharedVector<IndexPair> all_pairs(std::int32_t rows) {
  std::vector<IndexPair> pairs;
  for (std::int32_t a = 0; a < rows; ++a)
    for (std::int32_t b = a + 1; b < rows; ++b)
      pairs.push_back((a + b) % 2 == 0 ? IndexPair{a, b} : IndexPair{b, a});
  return SharedVector<IndexPair>(std::span<const IndexPair>(pairs));
}

const Index kWidths[] = {1, 3, 16, 37, 128, 259};

TEST_CASE("distance_pairs_forward: equals naive") {
  Random random(1);
  const TestContext ctx;
  for (const Index width : kWidths) {
    CAPTURE(width);
    const auto pairs = all_pairs(25);  // 300 pairs: more than one task
    const Index count = static_cast<Index>(pairs.size());
    GuardedTensor z(matrix(25, width), width % 4 == 0 ? 4 : 3);
    GuardedTensor d(vector(count)), want(vector(count));
    z.fill_uniform(random);
    naive::distance_pairs_forward(ctx, want.data(), z.view(), pairs);
    distance_pairs_forward(ctx, d.data(), z.view(), pairs);
    CHECK(close(d.view(), want.view(), tolerance_of_sum(width, 1)));
    CHECK((d.guards_intact() && z.guards_intact()));
  }
}

TEST_CASE("distance: near-equal embeddings keep their relative accuracy") {
  // Rows of 1000 that differ by 1/1024 in every element: exact in float32. |a|^2 + |b|^2 - 2ab
  // would give 0 or worse.
  const TestContext ctx;
  const Index width = 64;
  GuardedTensor z(matrix(2, width)), d(matrix(1, 1));
  for (Index i = 0; i < width; ++i) {
    z.view().pixel(0)[i] = 1000;
    z.view().pixel(1)[i] = 1000 + 1.0F / 1024;
  }
  const SharedVector<IndexPair> pair = {{0, 1}};
  distance_pairs_forward(ctx, d.data(), z.view(), pair);
  CHECK(near(d.data()[0], 8.0 / 1024, 1e-6));
  distance_matrix(ctx, d.view(), z.view().images(0, 1), z.view().images(1, 1));
  CHECK(near(d.data()[0], 8.0 / 1024, 1e-6));
}

TEST_CASE("distance_pairs_backward: equals naive, and adds to what is there") {
  Random random(2);
  const TestContext ctx;
  for (const Index width : kWidths) {
    CAPTURE(width);
    const auto pairs = all_pairs(20);  // 190 pairs: more than CUDA stages at a time
    const Index count = static_cast<Index>(pairs.size());
    GuardedTensor z(matrix(20, width), 2), d(vector(count)), dd(vector(count));
    GuardedTensor dz(matrix(20, width), 1), want(matrix(20, width));
    z.fill_uniform(random);
    dd.fill_uniform(random);
    dz.fill(0.5F);
    want.fill(0.5F);
    naive::distance_pairs_forward(ctx, d.data(), z.view(), pairs);
    naive::distance_pairs_backward(ctx, want.view(), z.view(), pairs, d.data(), dd.data());
    distance_pairs_backward(ctx, dz.view(), z.view(), pairs, d.data(), dd.data());
    CHECK(close(dz.view(), want.view(), tolerance_of_sum(19)));  // a row is in 19 pairs
    CHECK(dz.guards_intact());
  }
}

TEST_CASE("distance_pairs_backward: finite differences") {
  Random random(3);
  const TestContext ctx;
  const Index rows = 5, width = 7;
  const auto pairs = all_pairs(5);
  const Index count = static_cast<Index>(pairs.size());
  GuardedTensor z(matrix(rows, width)), d(vector(count)), dd(vector(count));
  z.fill_uniform(random);
  dd.fill_uniform(random);
  naive::distance_pairs_forward(ctx, d.data(), z.view(), pairs);
  const Doubles want = numeric_gradient(doubles(z.view()), [&](const Doubles& v) {
    double loss = 0;
    for (std::size_t p = 0; p < pairs.size(); ++p) {
      double sum = 0;
      for (Index i = 0; i < width; ++i) {
        const double difference = v[static_cast<std::size_t>(pairs[p].a * width + i)] -
                                  v[static_cast<std::size_t>(pairs[p].b * width + i)];
        sum += difference * difference;
      }
      loss += dd.data()[p] * std::sqrt(sum);
    }
    return loss;
  });
  CHECK(largest_magnitude(want) > 0.1);
  for (const auto backward : {naive::distance_pairs_backward, distance_pairs_backward}) {
    GuardedTensor dz(matrix(rows, width));
    dz.fill(0);
    backward(ctx, dz.view(), z.view(), pairs, d.data(), dd.data());
    CHECK(largest_error(doubles(dz.view()), want) <= 2e-6);
  }
}

TEST_CASE("distance_pairs: equal rows have distance 0 and gradient 0") {
  const TestContext ctx;
  GuardedTensor z(matrix(2, 19)), dz(matrix(2, 19)), d(vector(1));
  z.fill(0.3F);
  dz.fill(0);
  const SharedVector<IndexPair> pair = {{0, 1}};
  const SharedVector<float> dd = {5};
  for (const bool fast : {false, true}) {
    (fast ? distance_pairs_forward : naive::distance_pairs_forward)(ctx, d.data(), z.view(), pair);
    CHECK(d.data()[0] == 0);
    (fast ? distance_pairs_backward : naive::distance_pairs_backward)(ctx, dz.view(), z.view(),
                                                                      pair, d.data(), dd.data());
    for (float value : dz.values()) CHECK(value == 0);
  }
}

TEST_CASE("distance_matrix: equals naive, and the pairs") {
  Random random(4);
  const TestContext ctx;
  for (const Index width : kWidths)
    for (const Shape rows : {Shape{1, 1, 1, 1}, Shape{33, 1, 1, 7}, Shape{5, 1, 1, 1029}}) {
      CAPTURE(width);
      const Index extra = width % 4 == 0 ? 4 : 1;
      GuardedTensor a(matrix(rows.n, width), extra), b(matrix(rows.c, width), 2 * extra);
      GuardedTensor d(matrix(rows.n, rows.c), 3), want(matrix(rows.n, rows.c));
      a.fill_uniform(random);
      b.fill_uniform(random);
      naive::distance_matrix(ctx, want.view(), a.view(), b.view());
      distance_matrix(ctx, d.view(), a.view(), b.view());
      CHECK(close(d.view(), want.view(), tolerance_of_sum(width, 1)));
      CHECK((d.guards_intact() && a.guards_intact() && b.guards_intact()));
    }
}

TEST_CASE("distance: the same bits for 1, 2 and 3 threads") {
  Random random(5);
  GuardedTensor z(matrix(70, 130));
  z.fill_uniform(random);
  const auto pairs = all_pairs(70);
  const Index count = static_cast<Index>(pairs.size());
  GuardedTensor dd(vector(count));
  dd.fill_uniform(random);
  std::vector<std::vector<float>> results;
  for (const int threads : {1, 2, 3}) {
    const TestContext ctx(0, threads);
    GuardedTensor d(vector(count)), dz(matrix(70, 130)), m(matrix(70, 70));
    dz.fill(0);
    distance_pairs_forward(ctx, d.data(), z.view(), pairs);
    distance_pairs_backward(ctx, dz.view(), z.view(), pairs, d.data(), dd.data());
    distance_matrix(ctx, m.view(), z.view(), z.view());
    std::vector<float> all;
    for (const GuardedTensor* t : {&d, &dz, &m})
      for (float value : t->values()) all.push_back(value);
    results.push_back(all);
  }
  CHECK(results[0] == results[1]);
  CHECK(results[0] == results[2]);
}

TEST_CASE("distance_pairs: a wrong pair throws on cpu; on a device its distance is NaN") {
  const TestContext ctx;
  for (const IndexPair wrong : {IndexPair{0, 3}, IndexPair{-1, 0}, IndexPair{1, 1}}) {
    GuardedTensor z(matrix(3, 4)), dz(matrix(3, 4)), d(vector(2)), dd(vector(2));
    z.fill(0.5F);
    z.data()[0] = 3.5F;  // row 0 is 3 from the others
    dz.fill(7);
    dd.fill(1);
    const SharedVector<IndexPair> pairs = {wrong, IndexPair{0, 2}};
    if (test_device() == Device::cpu) {
      CHECK_THROWS_AS(distance_pairs_forward(ctx, d.data(), z.view(), pairs), Error);
      CHECK_THROWS_AS(distance_pairs_backward(ctx, dz.view(), z.view(), pairs, d.data(), dd.data()),
                      Error);
      for (float value : dz.values()) CHECK(value == 7);
      continue;
    }
    distance_pairs_forward(ctx, d.data(), z.view(), pairs);
    CHECK(d.data()[0] != d.data()[0]);
    CHECK(d.data()[1] == 3);
    distance_pairs_backward(ctx, dz.view(), z.view(), pairs, d.data(), dd.data());
    CHECK(dz.values() == std::vector<float>{8, 7, 7, 7, 7, 7, 7, 7, 6, 7, 7, 7});
    CHECK((d.guards_intact() && dz.guards_intact()));
  }
}

TEST_CASE("distance: what does not fit throws; no pairs and no rows are fine") {
  const TestContext ctx;
  GuardedTensor z(matrix(3, 4)), d(matrix(3, 3)), other(matrix(3, 5));
  CHECK_THROWS_AS(distance_matrix(ctx, d.view(), z.view(), other.view()), Error);
  CHECK_THROWS_AS(distance_matrix(ctx, other.view(), z.view(), z.view()), Error);
  distance_pairs_forward(ctx, d.data(), z.view(), {});
  distance_matrix(ctx, d.view().images(0, 0), z.view().images(0, 0), z.view());
  for (float value : d.values()) CHECK(value != value);  // nothing was written
}

}  // namespace
}  // namespace twinage
