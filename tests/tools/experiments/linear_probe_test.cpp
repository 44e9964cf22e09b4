#include "tools/experiments/linear_probe.h"

#include <cmath>
#include <limits>

#include <doctest/doctest.h>

#include "core/error.h"
#include "core/random.h"
#include "core/tensor.h"

using namespace twinage;

namespace {

using Labels = std::vector<std::uint8_t>;

Tensor rows(Index width, const std::vector<float>& values) {
  Tensor z(matrix(static_cast<Index>(values.size()) / width, width));
  z.copy_from(values.data(), static_cast<Index>(values.size()));
  return z;
}

// The objective of linear_probe.h, straight from its formula, in the units of z standardised by
// hand: here z has mean 0 and deviation 1 already.
double objective(const LinearProbe& p, const Tensor& z, const Labels& labels, double lambda) {
  double sum = 0, squares = 0;
  for (Index i = 0; i < z.shape().n; ++i) {
    const std::span<const float> row(z.view().pixel(i), static_cast<std::size_t>(z.shape().c));
    const double t = labels[static_cast<std::size_t>(i)] != 0 ? 1 : -1;
    sum += std::log1p(std::exp(-t * p.logit(row)));
  }
  for (const double w : p.weights) squares += w * w;
  return sum / static_cast<double>(z.shape().n) + lambda / 2 * squares;
}

}  // namespace

TEST_CASE("a probe of one number that is its label: the weight solves the derivative by hand") {
  // z = -1, 1 with labels 0, 1: loss log(1 + e^-w) + lambda/2 w^2, so lambda w = 1 / (1 + e^w).
  const Tensor z = rows(1, {-1, 1});
  const LinearProbe probe = fit_linear_probe(z.view(), Labels{0, 1}, 0.1);
  CHECK(probe.bias == doctest::Approx(0).epsilon(1e-9));
  const double w = probe.weights.at(0);
  CHECK(0.1 * w == doctest::Approx(1 / (1 + std::exp(w))).epsilon(1e-8));
  CHECK(accuracy_of(probe, z.view(), Labels{0, 1}) == 1);
}

TEST_CASE("a number that says nothing gets no weight, and the bias says how many are 1") {
  // A quarter is 1, whatever z: p = 1/4, b = log(1/3).
  const Tensor z = rows(1, {-1, 1, -1, 1, -1, 1, -1, 1});
  const LinearProbe probe = fit_linear_probe(z.view(), Labels{1, 1, 0, 0, 0, 0, 0, 0}, 0.01);
  CHECK(probe.weights.at(0) == doctest::Approx(0).epsilon(1e-8));
  CHECK(probe.bias == doctest::Approx(std::log(1.0 / 3)));
  CHECK(accuracy_of(probe, z.view(), Labels{1, 1, 0, 0, 0, 0, 0, 0}) == 0.75);
}

TEST_CASE("no small change of a probe's weights lowers its objective") {
  Random random(3);
  std::vector<float> values;
  Labels labels;
  for (int i = 0; i < 200; ++i) {
    const float a = random.chance(0.5) ? 1.0F : -1.0F, b = random.chance(0.5) ? 1.0F : -1.0F;
    values.insert(values.end(), {a, b, -a, -b});  // mean 0, deviation 1
    const std::uint8_t label = random.uniform() < 0.5 + 0.3 * static_cast<double>(a) ? 1 : 0;
    labels.insert(labels.end(), {label, static_cast<std::uint8_t>(1 - label)});
  }
  const Tensor z = rows(2, values);
  const LinearProbe best = fit_linear_probe(z.view(), labels, 0.05);
  const double least = objective(best, z, labels, 0.05);
  for (const double change : {-1e-3, 1e-3}) {
    for (std::size_t c = 0; c < 2; ++c) {
      LinearProbe other = best;
      other.weights[c] += change;
      CHECK(objective(other, z, labels, 0.05) > least);
    }
    LinearProbe other = best;
    other.bias += change;
    CHECK(objective(other, z, labels, 0.05) > least);
  }
}

TEST_CASE("a probe does not depend on an embedding's units or origin") {
  const std::vector<float> values{1, 2, 2, 1, 3, 5, 4, 4, 6, 5, 7, 9};
  std::vector<float> other;
  for (const float v : values) other.push_back(100 + 50 * v);
  const Labels labels{0, 1, 0, 1, 1, 0};
  const Tensor a = rows(2, values), b = rows(2, other);
  const LinearProbe of_a = fit_linear_probe(a.view(), labels),
                    of_b = fit_linear_probe(b.view(), labels);
  for (Index i = 0; i < 6; ++i)
    CHECK(of_b.logit({b.view().pixel(i), 2}) ==
          doctest::Approx(of_a.logit({a.view().pixel(i), 2})).epsilon(1e-6));
}

TEST_CASE("a plane that separates the classes, and a number that never changes, stay finite") {
  const Tensor z = rows(2, {-1000, 7, -999, 7, 999, 7, 1000, 7});
  const LinearProbe probe = fit_linear_probe(z.view(), Labels{0, 0, 1, 1});
  CHECK(std::isfinite(probe.weights.at(0)));
  CHECK(probe.weights.at(1) == 0);
  CHECK(accuracy_of(probe, z.view(), Labels{0, 0, 1, 1}) == 1);
}

TEST_CASE("a probe refuses one class, labels that do not fit, and numbers that are not finite") {
  const Tensor z = rows(1, {0, 1});
  CHECK_THROWS_WITH_AS(fit_linear_probe(z.view(), Labels{1, 1}), doctest::Contains("both classes"),
                       Error);
  CHECK_THROWS_WITH_AS(fit_linear_probe(z.view(), Labels{1}), doctest::Contains("[linear_probe]"),
                       Error);
  CHECK_THROWS_AS(fit_linear_probe(z.view(), Labels{0, 2}), Error);
  CHECK_THROWS_AS(fit_linear_probe(z.view(), Labels{0, 1}, 0), Error);
  const Tensor bad = rows(1, {0, std::numeric_limits<float>::quiet_NaN()});
  CHECK_THROWS_WITH_AS(fit_linear_probe(bad.view(), Labels{0, 1}), doctest::Contains("finite"),
                       Error);
  const LinearProbe probe = fit_linear_probe(z.view(), Labels{0, 1});
  const Tensor wide = rows(2, {0, 1});
  CHECK_THROWS_AS(accuracy_of(probe, wide.view(), Labels{0}), Error);
}
