#include "kernels/age_loss/age_loss.h"

#include <cmath>
#include <limits>

#include <doctest/doctest.h>

#include "core/error.h"
#include "tests/kernels/numeric_gradient.h"
#include "tests/support/test_context.h"

namespace twinage {
namespace {

using namespace test;

const AgeDistributionLoss kLabelDistribution{
    .sigma = 2, .error = MeanError::absolute, .error_weight = 1};
const AgeDistributionLoss kMeanVariance{
    .error = MeanError::half_square, .error_weight = 0.2F, .variance_weight = 0.05F};
// Every term, each with a weight of its own.
const AgeDistributionLoss kAllTerms{
    .sigma = 3, .error = MeanError::half_square, .error_weight = 0.3F, .variance_weight = 0.7F};
const AgeDistributionLoss kLosses[] = {
    {}, {.sigma = 2}, kLabelDistribution, kMeanVariance, kAllTerms};

// Years within the classes, whole ones and others.
SharedVector<float> some_ages(Index rows, Index classes, Random& random) {
  SharedVector<float> ages(static_cast<std::size_t>(rows));
  for (float& age : ages) {
    age = static_cast<float>(random.uniform(0, static_cast<double>(classes - 1)));
    if (random.chance(0.5)) age = std::round(age);
  }
  return ages;
}
SharedVector<std::int32_t> some_ranks(Index rows, Index thresholds, Random& random) {
  SharedVector<std::int32_t> ranks(static_cast<std::size_t>(rows));
  for (std::int32_t& rank : ranks)
    rank = static_cast<std::int32_t>(random.below(static_cast<std::uint64_t>(thresholds + 1)));
  return ranks;
}

// The header's formula of a row once more, term by term.
double distribution_loss_of(const Doubles& x, double t, const AgeDistributionLoss& o) {
  double sum = 0, of_gaussian = 0, mean = 0, variance = 0, divergence = 0;
  const auto gaussian = [&](std::size_t a) {
    const double sigma = static_cast<double>(o.sigma), off = static_cast<double>(a) - t;
    if (sigma == 0) return std::floor(t + 0.5) == static_cast<double>(a) ? 1.0 : 0.0;
    return std::exp(-off * off / (2 * sigma * sigma));
  };
  for (std::size_t a = 0; a < x.size(); ++a) sum += std::exp(x[a]);
  for (std::size_t a = 0; a < x.size(); ++a) of_gaussian += gaussian(a);
  const auto p = [&](std::size_t a) { return std::exp(x[a]) / sum; };
  for (std::size_t a = 0; a < x.size(); ++a) mean += static_cast<double>(a) * p(a);
  for (std::size_t a = 0; a < x.size(); ++a) {
    const double q = gaussian(a) / of_gaussian, off = static_cast<double>(a) - mean;
    if (q > 0) divergence += q * std::log(q / p(a));
    variance += p(a) * off * off;
  }
  const double off = mean - t;
  const double error = o.error == MeanError::absolute ? std::fabs(off) : off * off / 2;
  return divergence + static_cast<double>(o.error_weight) * error +
         static_cast<double>(o.variance_weight) * variance;
}

double ordinal_loss_of(const Doubles& x, std::int32_t rank) {
  double loss = 0;
  for (std::size_t k = 0; k < x.size(); ++k) {
    const double s = 1 / (1 + std::exp(-x[k]));
    loss -= std::log(rank > static_cast<std::int32_t>(k) ? s : 1 - s);
  }
  return loss;
}

Doubles row_of(ConstView x, Index n) {
  return doubles(x.images(n, 1));
}

TEST_CASE("age losses: of a distribution, by hand") {
  const TestContext ctx;
  // p = 1/4, 1/2, 1/4 over the ages 0, 1, 2: E = 1, V = 1/2. A face of 2 years.
  GuardedTensor x(matrix(1, 3)), d(matrix(1, 3)), loss(vector(1));
  const float log2 = std::log(2.0F);
  x.fill(0.5F);
  x.data()[1] += log2;
  const SharedVector<float> two{2};
  for (const auto run : {naive::age_distribution_loss, age_distribution_loss}) {
    const auto compute = [&](const AgeDistributionLoss& options) {
      run(ctx, loss.data(), d.view(), x.view(), two.data(), 1, options);
      return static_cast<double>(loss.data()[0]);
    };
    CHECK(near(compute({}), std::log(4.0), 1e-6));
    CHECK(largest_error(doubles(d.view()), {0.25, 0.5, -0.75}) <= 1e-7);
    // |E - 2| = 1 with the slope -1: p (a - E) = -1/4, 0, 1/4.
    CHECK(near(compute({.error_weight = 2}), std::log(4.0) + 2, 1e-6));
    CHECK(largest_error(doubles(d.view()), {0.25 + 0.5, 0.5, -0.75 - 0.5}) <= 1e-6);
    // Half of its square is 1/2, with the same slope.
    CHECK(near(compute({.error = MeanError::half_square, .error_weight = 2}), std::log(4.0) + 1,
               1e-6));
    // p ((a - E)^2 - V) = 1/8, -1/4, 1/8.
    CHECK(near(compute({.variance_weight = 4}), std::log(4.0) + 2, 1e-6));
    CHECK(largest_error(doubles(d.view()), {0.25 + 0.5, 0.5 - 1, -0.75 + 0.5}) <= 1e-6);
  }
  // q of sigma 1 about the age 1: 1 and two of exp(-1/2), over their sum.
  const SharedVector<float> one{1};
  age_distribution_loss(ctx, loss.data(), d.view(), x.view(), one.data(), 1, {.sigma = 1});
  const double side = std::exp(-0.5) / (1 + 2 * std::exp(-0.5)), middle = 1 - 2 * side;
  // Its terms are near a tenth, and cancel.
  const double divergence = 2 * side * std::log(side / 0.25) + middle * std::log(middle / 0.5);
  CHECK(std::fabs(loss.data()[0] - divergence) <= 1e-6 * divergence + 3e-7);
  CHECK(largest_error(doubles(d.view()), {0.25 - side, 0.5 - middle, 0.25 - side}) <= 1e-7);
}

TEST_CASE("age losses: of a distribution, equal naive") {
  Random random(1);
  const TestContext ctx;
  // 101: ages from 0 to 100; 32 and 33: a warp's lanes, and one more.
  for (const Shape shape : {matrix(1, 1), matrix(9, 2), matrix(3, 32), matrix(5, 33),
                            matrix(64, 101), matrix(6, 129), matrix(0, 2)})
    for (const float spread : {1.0F, 30.0F, 1e4F})
      for (const AgeDistributionLoss& options : kLosses) {
        CAPTURE(to_string(shape));
        CAPTURE(spread);
        CAPTURE(options.sigma);
        GuardedTensor x(shape, 2), loss(vector(shape.n)), d(shape, 1);
        GuardedTensor want_loss(vector(shape.n)), want(shape);
        x.fill_uniform(random, -spread, spread);
        const auto ages = some_ages(shape.n, shape.c, random);
        naive::age_distribution_loss(ctx, want_loss.data(), want.view(), x.view(), ages.data(),
                                     0.7F, options);
        age_distribution_loss(ctx, loss.data(), d.view(), x.view(), ages.data(), 0.7F, options);
        CHECK(close(loss.view(), want_loss.view(), 3e-6));
        // x - max is rounded to half an ulp of itself, at most 88 where its exponential is not 0.
        CHECK(close(d.view(), want.view(), 1e-5));
        CHECK((loss.guards_intact() && d.guards_intact()));
      }
}

TEST_CASE("age losses: of a distribution, finite differences") {
  Random random(2);
  const TestContext ctx;
  const SharedVector<float> ages{0, 31, 32.4F, 63, 64.5F, 95, 100};
  const Shape shape = matrix(static_cast<Index>(ages.size()), 101);
  GuardedTensor x(shape, 3), loss(vector(shape.n)), d(shape, 2);
  x.fill_uniform(random, -3, 3);
  for (const AgeDistributionLoss& options : kLosses)
    for (Index n = 0; n < shape.n; ++n) {
      CAPTURE(n);
      CAPTURE(options.sigma);
      const double age = ages[static_cast<std::size_t>(n)];
      const auto loss_of = [&](const Doubles& row) {
        return distribution_loss_of(row, age, options);
      };
      const Doubles row = row_of(x.view(), n), want = numeric_gradient(row, loss_of);
      CHECK(largest_magnitude(want) > 0.1);
      for (const auto run : {naive::age_distribution_loss, age_distribution_loss}) {
        run(ctx, loss.data(), d.view(), x.view(), ages.data(), 1, options);
        CHECK(near(loss.data()[n], loss_of(row), 2e-6));
        CHECK(largest_error(row_of(d.view(), n), want) <= 3e-6 * (1 + largest_magnitude(want)));
      }
    }
}

TEST_CASE("age losses: of ranks, by hand and finite differences") {
  Random random(3);
  const TestContext ctx;
  for (const Index thresholds : {1, 3, 32, 33, 100}) {
    const Shape shape = matrix(4, thresholds);
    GuardedTensor x(shape, 3), loss(vector(4)), d(shape, 2);
    x.fill_uniform(random, -3, 3);
    SharedVector<std::int32_t> ranks = some_ranks(4, thresholds, random);
    ranks[0] = 0;
    ranks[1] = static_cast<std::int32_t>(thresholds);
    for (const auto run : {naive::ordinal_loss, ordinal_loss}) {
      run(ctx, loss.data(), d.view(), x.view(), ranks.data(), 1);
      for (Index n = 0; n < 4; ++n) {
        const auto loss_of = [&](const Doubles& row) {
          return ordinal_loss_of(row, ranks[static_cast<std::size_t>(n)]);
        };
        const Doubles row = row_of(x.view(), n), want = numeric_gradient(row, loss_of);
        CHECK(largest_magnitude(want) > 0.04);
        CHECK(near(loss.data()[n], loss_of(row), 1e-6));
        CHECK(largest_error(row_of(d.view(), n), want) <= 1e-6);
      }
    }
  }
  // Rank 1 of two thresholds: beyond the first, not the second. -log s(2) - log(1 - s(-3)).
  GuardedTensor x(matrix(1, 2)), loss(vector(1)), d(matrix(1, 2));
  x.data()[0] = 2;
  x.data()[1] = -3;
  const SharedVector<std::int32_t> rank{1};
  ordinal_loss(ctx, loss.data(), d.view(), x.view(), rank.data(), 0.5F);
  CHECK(near(loss.data()[0], std::log1p(std::exp(-2.0)) + std::log1p(std::exp(-3.0)), 1e-6));
  CHECK(near(d.data()[0], -0.5 / (1 + std::exp(2.0)), 1e-6));
  CHECK(near(d.data()[1], 0.5 / (1 + std::exp(3.0)), 1e-6));
}

TEST_CASE("age losses: of ranks, equal naive, and small losses are no zeros") {
  Random random(4);
  const TestContext ctx;
  for (const Shape shape : {matrix(1, 1), matrix(64, 100), matrix(3, 129), matrix(0, 3)})
    for (const float spread : {1.0F, 30.0F, 3e38F}) {
      GuardedTensor x(shape, 2), loss(vector(shape.n)), d(shape, 1);
      GuardedTensor want_loss(vector(shape.n)), want(shape);
      x.fill_uniform(random, -spread / 100, spread / 100);
      const auto ranks = some_ranks(shape.n, shape.c, random);
      naive::ordinal_loss(ctx, want_loss.data(), want.view(), x.view(), ranks.data(), 0.7F);
      ordinal_loss(ctx, loss.data(), d.view(), x.view(), ranks.data(), 0.7F);
      CHECK(close(loss.view(), want_loss.view(), 1e-6));
      CHECK(close(d.view(), want.view(), 1e-6));
      CHECK((loss.guards_intact() && d.guards_intact()));
    }
  GuardedTensor sure(matrix(1, 1)), loss(vector(1)), d(matrix(1, 1));
  sure.fill(20);
  const SharedVector<std::int32_t> beyond{1};
  ordinal_loss(ctx, loss.data(), d.view(), sure.view(), beyond.data(), 1);
  CHECK(near(loss.data()[0], std::exp(-20.0), 1e-5));
  CHECK(near(d.data()[0], -std::exp(-20.0), 1e-5));
}

TEST_CASE("age losses: of a number, by hand; one that is right has no slope") {
  const TestContext ctx;
  for (const Index rows : {0, 3, 130}) {  // more than a block has threads
    GuardedTensor y(matrix(rows, 1), 2), loss(vector(rows)), d(matrix(rows, 1), 3);
    SharedVector<float> targets(static_cast<std::size_t>(rows), 2);
    for (Index n = 0; n < rows; ++n)
      y.view().pixel(n)[0] = n % 3 == 0 ? 3.5F : n % 3 == 1 ? 2.0F : -1.0F;
    for (const auto run : {naive::absolute_error_loss, absolute_error_loss}) {
      run(ctx, loss.data(), d.view(), y.view(), targets.data(), 0.25F);
      for (Index n = 0; n < rows; ++n) {
        CHECK(loss.data()[n] == (n % 3 == 0 ? 1.5F : n % 3 == 1 ? 0.0F : 3.0F));
        CHECK(d.view().pixel(n)[0] == (n % 3 == 0 ? 0.25F : n % 3 == 1 ? 0.0F : -0.25F));
      }
      CHECK((loss.guards_intact() && d.guards_intact()));
    }
  }
}

TEST_CASE("age losses: a NaN comes through, and stays in its row") {
  Random random(5);
  const TestContext ctx;
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (const Index at : {0, 31, 32, 100}) {
    CAPTURE(at);
    const Shape shape = matrix(3, 101);
    GuardedTensor x(shape), y(matrix(3, 1)), loss(vector(3)), d(shape), dy(matrix(3, 1));
    x.fill_uniform(random);
    y.fill(1);
    x.view().pixel(1)[at] = y.data()[1] = nan;
    const auto ages = some_ages(3, 101, random);
    const auto ranks = some_ranks(3, 101, random);
    for (const AgeDistributionLoss& options : kLosses) {
      age_distribution_loss(ctx, loss.data(), d.view(), x.view(), ages.data(), 1, options);
      CHECK((std::isnan(loss.data()[1]) && std::isnan(d.view().pixel(1)[7])));
      CHECK((std::isfinite(loss.data()[0]) && std::isfinite(loss.data()[2])));
    }
    ordinal_loss(ctx, loss.data(), d.view(), x.view(), ranks.data(), 1);
    CHECK((std::isnan(loss.data()[1]) && std::isnan(d.view().pixel(1)[at])));
    CHECK((std::isfinite(loss.data()[0]) && std::isfinite(loss.data()[2])));
    absolute_error_loss(ctx, loss.data(), dy.view(), y.view(), ages.data(), 1);
    CHECK((std::isnan(loss.data()[1]) && std::isnan(dy.data()[1])));
    CHECK((std::isfinite(loss.data()[0]) && std::isfinite(loss.data()[2])));
  }
}

TEST_CASE("age losses: the same bits for any number of threads") {
  Random random(6);
  const Shape shape = matrix(33, 101);
  GuardedTensor x(shape);
  x.fill_uniform(random, -4, 4);
  const auto ages = some_ages(33, 101, random);
  GuardedTensor first(shape), first_loss(vector(33));
  for (const int threads : {1, 2, 3}) {
    GuardedTensor d(shape), loss(vector(33));
    age_distribution_loss(TestContext(0, threads), loss.data(), d.view(), x.view(), ages.data(), 1,
                          kAllTerms);
    if (threads == 1) {
      first = d;
      first_loss = loss;
    }
    CHECK(bitwise_equal(d.view(), first.view()));
    CHECK(bitwise_equal(loss.view(), first_loss.view()));
  }
}

TEST_CASE("age losses: a label out of range throws on cpu; on a device its loss is NaN") {
  const TestContext ctx;
  const Shape shape = matrix(2, 3);
  GuardedTensor x(shape), d(shape), loss(vector(2));
  x.fill(0);
  for (const float wrong_age : {2.5F, -1.0F, std::nanf("")}) {
    const SharedVector<float> ages{1, wrong_age};
    const SharedVector<std::int32_t> ranks{3, wrong_age > 0 ? 4 : -1};
    const auto distribution = [&] {
      age_distribution_loss(ctx, loss.data(), d.view(), x.view(), ages.data(), 1, kMeanVariance);
    };
    const auto ordinal = [&] {
      ordinal_loss(ctx, loss.data(), d.view(), x.view(), ranks.data(), 1);
    };
    if (test_device() == Device::cpu) {
      CHECK_THROWS_WITH_AS(distribution(), doctest::Contains("in row 1"), Error);
      CHECK_THROWS_WITH_AS(ordinal(), doctest::Contains("ranks of 0 to 3"), Error);
      for (const float value : d.values()) CHECK(value != value);  // nothing was written
      continue;
    }
    distribution();
    CHECK((std::isfinite(loss.data()[0]) && std::isnan(loss.data()[1])));
    CHECK((std::isfinite(d.data()[0]) && std::isnan(d.view().pixel(1)[2])));
    ordinal();
    CHECK((std::isfinite(loss.data()[0]) && std::isnan(loss.data()[1])));
    CHECK((std::isfinite(d.data()[0]) && std::isnan(d.view().pixel(1)[2])));
  }
}

TEST_CASE("age losses: what does not fit throws") {
  const TestContext ctx;
  GuardedTensor x(matrix(2, 3)), d(matrix(2, 3)), other(matrix(2, 4)), loss(vector(2));
  x.fill(0);
  const SharedVector<float> ages{0, 1};
  const SharedVector<std::int32_t> ranks{0, 1};
  const auto distribution = [&](View to, const AgeDistributionLoss& options) {
    age_distribution_loss(ctx, loss.data(), to, x.view(), ages.data(), 1, options);
  };
  CHECK_THROWS_AS(distribution(other.view(), {}), Error);
  CHECK_THROWS_WITH_AS(distribution(x.view(), {}), doctest::Contains("memory of its own"), Error);
  CHECK_THROWS_WITH_AS(distribution(d.view(), {.sigma = -1}), doctest::Contains("sigma"), Error);
  CHECK_THROWS_AS(distribution(d.view(), {.sigma = std::nanf("")}), Error);
  CHECK_THROWS_WITH_AS(distribution(d.view(), {.error = static_cast<MeanError>(7)}),
                       doctest::Contains("unknown error of the mean 7"), Error);
  CHECK_THROWS_AS(ordinal_loss(ctx, loss.data(), other.view(), x.view(), ranks.data(), 1), Error);
  CHECK_THROWS_AS(absolute_error_loss(ctx, loss.data(), d.view(), x.view(), ages.data(), 1), Error);
  for (const float value : d.values()) CHECK(value != value);  // nothing was written
}

}  // namespace
}  // namespace twinage
