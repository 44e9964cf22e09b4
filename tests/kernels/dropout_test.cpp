#include "kernels/dropout/dropout.h"

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
  Shape shape;
  Index extra = 0;
};

// 40000 floats in a row, and 700 pixels of 70 channels, are more than one task. Channels that are
// no multiple of four: pixels begin in the middle of four words.
const Case kCases[] = {
    {{1, 1, 1, 1}},    {{2, 3, 5, 7}},       {{2, 3, 5, 31}, 2},    {{1, 1, 1, 40000}},
    {{7, 10, 10, 70}}, {{7, 10, 10, 70}, 1}, {{0, 3, 3, 4}},        {{3, 5, 4, 36}, 4},
    {{3, 5, 4, 36}},   {{5, 1, 1, 3}, 1},    {{2, 1, 1, 50001}, 3},
};

const DropoutKey kKey{0x123456789ABCDEF0, 77, stream_of("classifier.0")};

SharedVector<DropoutKey> on_device(const DropoutKey& key) {
  return SharedVector<DropoutKey>({key});
}

// 1 where an element is kept.
std::vector<float> mask(const DropoutKey& key, Shape shape, double rate, Index extra = 0,
                        int threads = 2) {
  const SharedVector<DropoutKey> of_step = on_device(key);
  GuardedTensor x(shape, extra), y(shape, extra);
  x.fill(1);
  dropout(TestContext(0, threads), y.view(), x.view(), dropout_rule(rate), of_step.data());
  std::vector<float> kept = y.values();
  for (float& v : kept) v = v == 0 ? 0.0F : 1.0F;
  return kept;
}

double share(const std::vector<float>& kept) {
  double sum = 0;
  for (const float v : kept) sum += static_cast<double>(v);
  return sum / static_cast<double>(kept.size());
}

// Of the places where one of two masks says otherwise than the other.
double disagreement(const std::vector<float>& a, const std::vector<float>& b) {
  REQUIRE(a.size() == b.size());
  std::vector<float> other(a.size());
  for (std::size_t i = 0; i < a.size(); ++i) other[i] = std::fabs(a[i] - b[i]);
  return share(other);
}

TEST_CASE("dropout: some images of a batch are dropped as they are in the batch") {
  for (const Case& c : kCases) {
    const Index before = c.shape.n / 2, floats = before * c.shape.h * c.shape.w * c.shape.c;
    CAPTURE(to_string(c.shape));
    DropoutKey key = kKey;
    const std::vector<float> whole = mask(key, c.shape, 0.5, c.extra);
    key.first = static_cast<std::uint64_t>(floats);
    Shape rest = c.shape;
    rest.n -= before;
    CHECK(mask(key, rest, 0.5, c.extra) == std::vector<float>(whole.begin() + floats, whole.end()));
  }
}

TEST_CASE("dropout: equals naive, bit for bit") {
  Random random(1);
  const TestContext ctx;
  const SharedVector<DropoutKey> key = on_device(kKey);
  for (const Case& c : kCases)
    for (const double rate : {0.5, 0.2}) {
      CAPTURE(to_string(c.shape));
      const DropoutRule rule = dropout_rule(rate);
      GuardedTensor x(c.shape, c.extra), y(c.shape, 2 * c.extra), want(c.shape);
      x.fill_uniform(random);
      naive::dropout(ctx, want.view(), x.view(), rule, key.data(), Write::overwrite);
      dropout(ctx, y.view(), x.view(), rule, key.data());
      CHECK(bitwise_equal(y.view(), want.view()));
      naive::dropout(ctx, want.view(), x.view(), rule, key.data(), Write::accumulate);
      dropout(ctx, y.view(), x.view(), rule, key.data(), Write::accumulate);
      CHECK(close(y.view(), want.view(), 1e-6));  // contracted or not
      CHECK((y.guards_intact() && x.guards_intact()));
      naive::dropout(ctx, want.view(), x.view(), rule, key.data(), Write::overwrite);
      dropout(ctx, x.view(), x.view(), rule, key.data());  // in place
      CHECK(bitwise_equal(x.view(), want.view()));
    }
}

TEST_CASE("dropout: an element's bit is Philox's word of its place, whatever pitch and threads") {
  const Shape shape{2, 3, 5, 7};
  const std::vector<float> kept = mask(kKey, shape, 0.5);
  for (std::size_t i = 0; i < kept.size(); ++i) {
    const auto low = [](std::uint64_t v) { return static_cast<std::uint32_t>(v); };
    const Philox4 words = philox({low(i / 4), 77, low(kKey.stream), low(kKey.stream >> 32)},
                                 {0x9ABCDEF0U, 0x12345678U});
    CHECK((kept[i] == 1) == (words[i % 4] >= 0x80000000U));
  }
  CHECK(mask(kKey, shape, 0.5, 3) == kept);
  CHECK(mask(kKey, {1, 1, 1, 210}, 0.5) == kept);
  const Shape large{9, 40, 40, 7};
  CHECK(mask(kKey, large, 0.5, 0, 1) == mask(kKey, large, 0.5, 0, 3));
  CHECK(mask(kKey, large, 0.5, 1, 1) == mask(kKey, large, 0.5, 0, 2));
}

TEST_CASE("dropout: as many are dropped as the rate says, and another key drops others") {
  const Shape shape{4, 50, 50, 8};  // 80000 elements
  for (const double rate : {0.1, 0.5, 0.9}) {
    const double deviation = std::sqrt(rate * (1 - rate) / 80000);
    CHECK(std::fabs(share(mask(kKey, shape, rate)) - (1 - rate)) < 5 * deviation);
  }
  const std::vector<float> kept = mask(kKey, shape, 0.5);
  CHECK(mask(kKey, shape, 0.5) == kept);
  DropoutKey step = kKey, stream = kKey, seed = kKey, high_seed = kKey, high_stream = kKey;
  ++step.step;
  ++stream.stream;
  ++seed.seed;
  high_seed.seed ^= std::uint64_t{1} << 63;
  high_stream.stream ^= std::uint64_t{1} << 63;
  for (const DropoutKey& other : {step, stream, seed, high_seed, high_stream})
    CHECK(std::fabs(disagreement(mask(other, shape, 0.5), kept) - 0.5) < 0.01);
  // Neighbours, and the same place in the next picture, know nothing of each other.
  for (const std::size_t apart : {1, 2, 4, 8, 20000}) {
    const std::vector<float> here(kept.begin(), kept.end() - static_cast<std::ptrdiff_t>(apart));
    const std::vector<float> there(kept.begin() + static_cast<std::ptrdiff_t>(apart), kept.end());
    CHECK(std::fabs(disagreement(here, there) - 0.5) < 0.01);
  }
}

TEST_CASE("dropout: the sum is kept, on average; a rate of 0 keeps everything as it is") {
  const Shape shape{4, 50, 50, 8};
  const TestContext ctx;
  const SharedVector<DropoutKey> key = on_device(kKey);
  GuardedTensor x(shape), y(shape);
  x.fill(1);
  dropout(ctx, y.view(), x.view(), dropout_rule(0.3), key.data());
  double sum = 0;
  for (const float v : y.values()) sum += static_cast<double>(v);
  CHECK(sum / 80000 == doctest::Approx(1).epsilon(0.02));
  Random random(2);
  x.fill_uniform(random);
  dropout(ctx, y.view(), x.view(), dropout_rule(0), key.data());
  CHECK(bitwise_equal(y.view(), x.view()));
}

TEST_CASE("dropout: its gradient is itself, against finite differences") {
  Random random(3);
  const TestContext ctx;
  const Shape shape{2, 3, 2, 5};
  const SharedVector<DropoutKey> key = on_device(kKey);
  const DropoutRule rule = dropout_rule(0.4);
  GuardedTensor x(shape), dy(shape), dx(shape), ones(shape), m(shape);
  x.fill_uniform(random);
  dy.fill_uniform(random);
  ones.fill(1);
  dropout(ctx, m.view(), ones.view(), rule, key.data());
  dropout(ctx, dx.view(), dy.view(), rule, key.data());
  const Doubles weight = doubles(dy.view()), factor = doubles(m.view());
  const Doubles want = numeric_gradient(doubles(x.view()), [&](const Doubles& at) {
    double loss = 0;
    for (std::size_t i = 0; i < at.size(); ++i) loss += weight[i] * factor[i] * at[i];
    return loss;
  });
  CHECK(largest_magnitude(want) > 0.5);
  CHECK(largest_error(doubles(dx.view()), want) < 1e-6);
}

TEST_CASE("dropout: a NaN is not hidden, dropped or not") {
  const TestContext ctx;
  const SharedVector<DropoutKey> key = on_device(kKey);
  for (const auto drop : {naive::dropout, dropout}) {
    GuardedTensor x(vector(64)), y(vector(64));
    x.fill(std::numeric_limits<float>::quiet_NaN());
    drop(ctx, y.view(), x.view(), dropout_rule(0.5), key.data(), Write::overwrite);
    for (const float v : y.values()) CHECK(std::isnan(v));
  }
}

TEST_CASE("dropout: rates and shapes that make no sense are refused") {
  const TestContext ctx;
  const SharedVector<DropoutKey> key = on_device(kKey);
  for (const double rate : {-0.1, 1.0, std::nan("")}) CHECK_THROWS_AS(dropout_rule(rate), Error);
  CHECK(dropout_rule(0.5).threshold == 0x80000000U);
  CHECK(dropout_rule(0.5).scale == 2);
  GuardedTensor x(matrix(2, 3)), y(matrix(3, 2));
  CHECK_THROWS_AS(dropout(ctx, y.view(), x.view(), dropout_rule(0.5), key.data()), Error);
}

}  // namespace
}  // namespace twinage
