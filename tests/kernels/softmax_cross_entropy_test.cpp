#include "kernels/softmax_cross_entropy/softmax_cross_entropy.h"

#include <cmath>

#include <doctest/doctest.h>

#include "core/error.h"
#include "tests/kernels/numeric_gradient.h"
#include "tests/support/test_context.h"

namespace twinage {
namespace {

using namespace test;

// About one label in four is absent.
SharedVector<std::int32_t> some_labels(Index rows, Index classes, Random& random) {
  SharedVector<std::int32_t> labels(static_cast<std::size_t>(rows));
  for (std::int32_t& label : labels)
    label = random.chance(0.25)
                ? -1
                : static_cast<std::int32_t>(random.below(static_cast<std::uint64_t>(classes)));
  return labels;
}

TEST_CASE("softmax_cross_entropy: equals naive, absent labels included") {
  Random random(1);
  const TestContext ctx;
  // 101: ages from 0 to 100; 32 and 33: a warp's lanes, and one more; 129 and 1001: more classes
  // than a block has threads.
  for (const Shape shape : {matrix(1, 1), matrix(9, 2), matrix(3, 32), matrix(5, 33),
                            matrix(64, 101), matrix(6, 129), matrix(2, 1001), matrix(0, 2)})
    for (const float spread : {1.0F, 30.0F, 1e4F}) {
      CAPTURE(to_string(shape));
      GuardedTensor logits(shape, 2), loss(vector(shape.n)), d(shape, 1), p(shape, 3);
      GuardedTensor want_loss(vector(shape.n)), want_d(shape), want_p(shape);
      logits.fill_uniform(random, -spread, spread);
      const auto labels = some_labels(shape.n, shape.c, random);
      naive::softmax_cross_entropy(ctx, want_loss.data(), want_d.view(), logits.view(),
                                   labels.data(), 0.7F);
      softmax_cross_entropy(ctx, loss.data(), d.view(), logits.view(), labels.data(), 0.7F);
      CHECK(close(loss.view(), want_loss.view(), 1e-6));
      // x - max is rounded to half an ulp of itself, at most 88 where its exponential is not 0.
      CHECK(close(d.view(), want_d.view(), 5e-6));
      naive::softmax(ctx, want_p.view(), logits.view());
      softmax(ctx, p.view(), logits.view());
      CHECK(close(p.view(), want_p.view(), 5e-6));
      CHECK((loss.guards_intact() && d.guards_intact() && p.guards_intact()));
      for (Index n = 0; n < shape.n; ++n) {
        double sum = 0;
        for (Index c = 0; c < shape.c; ++c) sum += p.view().pixel(n)[c];
        CHECK(near(sum, 1, 1e-5));
        if (labels[static_cast<std::size_t>(n)] >= 0) continue;
        CHECK(loss.data()[n] == 0);
        for (Index c = 0; c < shape.c; ++c) CHECK(d.view().pixel(n)[c] == 0);
      }
    }
}

TEST_CASE("softmax_cross_entropy: finite differences") {
  Random random(2);
  const TestContext ctx;
  const Shape shape = matrix(5, 4);
  const SharedVector<std::int32_t> labels = {0, 3, -1, 2, 1};
  GuardedTensor logits(shape), loss(vector(5)), d(shape);
  logits.fill_uniform(random, -2, 2);
  const double weight = 0.3F;
  const Doubles want = numeric_gradient(doubles(logits.view()), [&](const Doubles& x) {
    double total = 0;
    for (std::size_t n = 0; n < 5; ++n) {
      if (labels[n] < 0) continue;
      double sum = 0;
      for (std::size_t c = 0; c < 4; ++c) sum += std::exp(x[n * 4 + c]);
      total -= weight * std::log(std::exp(x[n * 4 + static_cast<std::size_t>(labels[n])]) / sum);
    }
    return total;
  });
  CHECK(largest_magnitude(want) > 0.1);
  for (const auto run : {naive::softmax_cross_entropy, softmax_cross_entropy}) {
    run(ctx, loss.data(), d.view(), logits.view(), labels.data(), 0.3F);
    CHECK(largest_error(doubles(d.view()), want) <= 3e-7);
  }
}

TEST_CASE("softmax_cross_entropy: finite differences of ages, whichever lane has the label") {
  Random random(4);
  const TestContext ctx;
  const std::size_t classes = 101;
  const SharedVector<std::int32_t> labels = {0, 31, 32, 63, 64, 95, 96, 100};
  const Shape shape = matrix(static_cast<Index>(labels.size()), classes);
  GuardedTensor logits(shape, 3), loss(vector(shape.n)), d(shape, 2);
  logits.fill_uniform(random, -3, 3);
  const Doubles x = doubles(logits.view());
  for (std::size_t n = 0; n < labels.size(); ++n) {
    const auto loss_of = [&](const Doubles& row) {
      double sum = 0;
      for (const double v : row) sum += std::exp(v);
      return std::log(sum) - row[static_cast<std::size_t>(labels[n])];
    };
    const auto first = x.begin() + static_cast<std::ptrdiff_t>(n * classes);
    const Doubles row(first, first + classes), want = numeric_gradient(row, loss_of);
    CHECK(largest_magnitude(want) > 0.5);
    for (const auto run : {naive::softmax_cross_entropy, softmax_cross_entropy}) {
      run(ctx, loss.data(), d.view(), logits.view(), labels.data(), 1);
      const auto row_n = static_cast<Index>(n);
      CHECK(near(loss.data()[n], loss_of(row), 1e-6));
      CHECK(largest_error(doubles(d.view().images(row_n, 1)), want) <= 3e-7);
    }
  }
}

TEST_CASE("softmax_cross_entropy: PyTorch 1.13's values, large logits, small losses") {
  // torch.nn.functional.cross_entropy(reduction = "none") in float64; gradient of 0.5 * sum.
  const TestContext ctx;
  const Shape shape = matrix(3, 3);
  const SharedVector<std::int32_t> labels = {0, 1, 2};
  const float values[] = {1, 2, 3, 100, -100, 0, 0, 0, 0};
  const Doubles want_loss = {2.407605964444, 200, 1.098612288668};
  const Doubles want_d = {-0.4549847134148, 0.1223642355274, 0.3326204778874, 0.5, -0.5, 0,
                          1.0 / 6,          1.0 / 6,         -1.0 / 3};
  GuardedTensor logits(shape), loss(vector(3)), d(shape);
  for (Index i = 0; i < 9; ++i) logits.data()[i] = values[i];
  for (const auto run : {naive::softmax_cross_entropy, softmax_cross_entropy}) {
    run(ctx, loss.data(), d.view(), logits.view(), labels.data(), 0.5F);
    CHECK(largest_error(doubles(loss.view()), want_loss) <= 3e-7);
    CHECK(largest_error(doubles(d.view()), want_d) <= 1e-7);
    // A confident right answer: the loss is exp(-20), and so is the gradient, not 0.
    GuardedTensor sure(matrix(1, 2)), sure_d(matrix(1, 2));
    sure.data()[0] = 20;
    sure.data()[1] = 0;
    run(ctx, loss.data(), sure_d.view(), sure.view(), labels.data(), 1);
    CHECK(near(loss.data()[0], std::exp(-20.0), 1e-5));
    CHECK(near(sure_d.data()[0], -std::exp(-20.0), 1e-5));
    // The largest finite logits.
    sure.data()[0] = 3e38F;
    sure.data()[1] = -3e38F;
    run(ctx, loss.data(), sure_d.view(), sure.view(), labels.data(), 1);
    CHECK(loss.data()[0] == 0);
    CHECK(largest_magnitude(sure_d.view()) == 0);
  }
}

TEST_CASE("softmax_cross_entropy: outputs may be the logits") {
  Random random(3);
  const TestContext ctx;
  const Shape shape = matrix(7, 101);
  GuardedTensor logits(shape), loss(vector(7)), d(shape), p(shape);
  logits.fill_uniform(random, -5, 5);
  const auto labels = some_labels(7, 101, random);
  softmax(ctx, p.view(), logits.view());
  softmax_cross_entropy(ctx, loss.data(), d.view(), logits.view(), labels.data(), 1);
  GuardedTensor in_place = logits;
  softmax(ctx, in_place.view(), in_place.view());
  CHECK(bitwise_equal(in_place.view(), p.view()));
  softmax_cross_entropy(ctx, loss.data(), logits.view(), logits.view(), labels.data(), 1);
  CHECK(bitwise_equal(logits.view(), d.view()));
}

TEST_CASE("softmax_cross_entropy: a label too large throws on cpu; on a device its loss is NaN") {
  const TestContext ctx;
  GuardedTensor logits(matrix(2, 3)), d(matrix(2, 3)), loss(vector(2));
  logits.fill(0);
  const SharedVector<std::int32_t> wrong = {0, 3};
  const auto run = [&] {
    softmax_cross_entropy(ctx, loss.data(), d.view(), logits.view(), wrong.data(), 1);
  };
  if (test_device() == Device::cpu) {
    CHECK_THROWS_AS(run(), Error);
    for (float value : d.values()) CHECK(value != value);  // nothing was written
    return;
  }
  run();
  CHECK(near(loss.data()[0], std::log(3.0), 1e-6));
  CHECK(loss.data()[1] != loss.data()[1]);
  for (Index c = 0; c < 3; ++c) {
    CHECK(std::isfinite(d.view().pixel(0)[c]));
    CHECK(std::isnan(d.view().pixel(1)[c]));
  }
}

TEST_CASE("softmax_cross_entropy: shapes that do not fit throw") {
  const TestContext ctx;
  GuardedTensor logits(matrix(2, 3)), d(matrix(2, 3)), other(matrix(2, 4)), loss(vector(2));
  logits.fill(0);
  const SharedVector<std::int32_t> fine = {0, 2};
  CHECK_THROWS_AS(
      softmax_cross_entropy(ctx, loss.data(), other.view(), logits.view(), fine.data(), 1), Error);
  CHECK_THROWS_AS(softmax(ctx, other.view(), logits.view()), Error);
  for (float value : d.values()) CHECK(value != value);  // nothing was written
}

}  // namespace
}  // namespace twinage
