#include "tools/experiments/linear_probe.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"

namespace twinage {
namespace {

constexpr int kMostSteps = 200, kMostHalvings = 60;
constexpr double kFlat = 1e-9;  // largest component of the gradient at which it has converged

std::span<const float> row_of(ConstView z, std::size_t i) {
  return {z.pixel(static_cast<Index>(i)), static_cast<std::size_t>(z.shape.c)};
}

void check(ConstView z, std::span<const std::uint8_t> labels) {
  const auto n = static_cast<std::size_t>(z.shape.n);
  require(z.shape == matrix(z.shape.n, z.shape.c) && n == labels.size() && n > 0,
          "[linear_probe] expected a label for each row of z = {}, got {}", z.shape, labels.size());
  for (std::size_t i = 0; i < n; ++i) {
    require(labels[i] <= 1, "[linear_probe] expected labels 0 and 1, got {}", labels[i]);
    for (const float x : row_of(z, i))
      require(std::isfinite(x), "[linear_probe] expected finite embeddings, got {} in row {}", x,
              i);
  }
}

// log(1 + exp(-x)) without overflow.
double softplus_of_minus(double x) {
  return std::max(-x, 0.0) + std::log1p(std::exp(-std::fabs(x)));
}
double sigmoid(double x) {
  return x >= 0 ? 1 / (1 + std::exp(-x)) : std::exp(x) / (1 + std::exp(x));
}

// The faces as the fit sees them: standardised, and a last column of ones for b.
struct Standardised {
  std::size_t n, width;  // with the column of ones
  std::vector<double> x, mean, deviation;

  explicit Standardised(ConstView z)
      : n(static_cast<std::size_t>(z.shape.n)), width(static_cast<std::size_t>(z.shape.c) + 1) {
    mean.assign(width - 1, 0);
    deviation.assign(width - 1, 0);
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t c = 0; c + 1 < width; ++c) mean[c] += static_cast<double>(row_of(z, i)[c]);
    for (double& m : mean) m /= static_cast<double>(n);
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t c = 0; c + 1 < width; ++c)
        deviation[c] += std::pow(static_cast<double>(row_of(z, i)[c]) - mean[c], 2);
    for (double& d : deviation) {
      d = std::sqrt(d / static_cast<double>(n));
      if (d == 0) d = 1;  // it tells nothing, and its weight stays 0
    }
    x.assign(n * width, 1);
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t c = 0; c + 1 < width; ++c)
        x[i * width + c] = (static_cast<double>(row_of(z, i)[c]) - mean[c]) / deviation[c];
  }
  double dot(std::size_t i, const std::vector<double>& w) const {
    double sum = 0;
    for (std::size_t c = 0; c < width; ++c) sum += x[i * width + c] * w[c];
    return sum;
  }
};

double objective(const Standardised& s, std::span<const std::uint8_t> labels,
                 const std::vector<double>& w, double lambda) {
  double loss = 0, squares = 0;
  for (std::size_t i = 0; i < s.n; ++i)
    loss += softplus_of_minus((labels[i] != 0 ? 1 : -1) * s.dot(i, w));
  for (std::size_t c = 0; c + 1 < s.width; ++c) squares += w[c] * w[c];
  return loss / static_cast<double>(s.n) + lambda / 2 * squares;
}

struct Slope {
  std::vector<double> gradient, hessian;  // [width], lower half of [width][width]
};

Slope slope(const Standardised& s, std::span<const std::uint8_t> labels,
            const std::vector<double>& w, double lambda) {
  Slope at{std::vector<double>(s.width), std::vector<double>(s.width * s.width)};
  const double share = 1 / static_cast<double>(s.n);
  for (std::size_t i = 0; i < s.n; ++i) {
    const double p = sigmoid(s.dot(i, w)), q = share * p * (1 - p);
    const double* x = &s.x[i * s.width];
    for (std::size_t a = 0; a < s.width; ++a) {
      at.gradient[a] += share * (p - labels[i]) * x[a];
      for (std::size_t b = 0; b <= a; ++b) at.hessian[a * s.width + b] += q * x[a] * x[b];
    }
  }
  for (std::size_t c = 0; c + 1 < s.width; ++c) {
    at.gradient[c] += lambda * w[c];
    at.hessian[c * s.width + c] += lambda;
  }
  // b is not held back by lambda; where all faces are sure its curvature vanishes.
  at.hessian.back() += 1e-12;
  return at;
}

// h x = g by Cholesky's h = l l^T, in place; h is positive definite.
std::vector<double> solve(std::vector<double> h, std::vector<double> g) {
  const std::size_t n = g.size();
  for (std::size_t j = 0; j < n; ++j) {
    for (std::size_t k = 0; k < j; ++k) h[j * n + j] -= h[j * n + k] * h[j * n + k];
    require(h[j * n + j] > 0, "[linear_probe] the curvature is not positive in column {}", j);
    h[j * n + j] = std::sqrt(h[j * n + j]);
    for (std::size_t i = j + 1; i < n; ++i) {
      for (std::size_t k = 0; k < j; ++k) h[i * n + j] -= h[i * n + k] * h[j * n + k];
      h[i * n + j] /= h[j * n + j];
    }
  }
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t k = 0; k < i; ++k) g[i] -= h[i * n + k] * g[k];
    g[i] /= h[i * n + i];
  }
  for (std::size_t i = n; i-- > 0;) {
    for (std::size_t k = i + 1; k < n; ++k) g[i] -= h[k * n + i] * g[k];
    g[i] /= h[i * n + i];
  }
  return g;
}

}  // namespace

double LinearProbe::logit(std::span<const float> z) const {
  double sum = bias;
  for (std::size_t c = 0; c < weights.size(); ++c) sum += weights[c] * static_cast<double>(z[c]);
  return sum;
}

LinearProbe fit_linear_probe(ConstView z, std::span<const std::uint8_t> labels, double lambda) {
  check(z, labels);
  require(std::ranges::count(labels, 1) > 0 && std::ranges::count(labels, 0) > 0,
          "[linear_probe] expected faces of both classes");
  require(lambda > 0, "[linear_probe] expected lambda above 0, got {}", lambda);
  const Standardised s(z);
  std::vector<double> w(s.width);
  double now = objective(s, labels, w, lambda);
  bool converged = false;
  for (int step = 0; step < kMostSteps && !converged; ++step) {
    const Slope at = slope(s, labels, w, lambda);
    converged = std::ranges::all_of(at.gradient, [](double g) { return std::fabs(g) <= kFlat; });
    if (converged) break;
    const std::vector<double> direction = solve(at.hessian, at.gradient);
    converged = true;  // where no step along it lowers the objective: to the last digit
    double length = 1;
    for (int halving = 0; halving < kMostHalvings && converged; ++halving, length /= 2) {
      std::vector<double> next = w;
      for (std::size_t c = 0; c < s.width; ++c) next[c] -= length * direction[c];
      const double there = objective(s, labels, next, lambda);
      if (!(there < now)) continue;
      converged = false;
      now = there;
      w = std::move(next);
    }
  }
  require(converged, "[linear_probe] no convergence after {} steps", kMostSteps);
  LinearProbe probe{std::vector<double>(s.width - 1), w.back()};
  for (std::size_t c = 0; c + 1 < s.width; ++c) {
    probe.weights[c] = w[c] / s.deviation[c];
    probe.bias -= probe.weights[c] * s.mean[c];
  }
  return probe;
}

double accuracy_of(const LinearProbe& probe, ConstView z, std::span<const std::uint8_t> labels) {
  check(z, labels);
  require(static_cast<std::size_t>(z.shape.c) == probe.weights.size(),
          "[linear_probe] expected embeddings of {} numbers, got {}", probe.weights.size(),
          z.shape.c);
  Index right = 0;
  for (std::size_t i = 0; i < labels.size(); ++i)
    right += (probe.logit(row_of(z, i)) >= 0) == (labels[i] != 0);
  return static_cast<double>(right) / static_cast<double>(labels.size());
}

}  // namespace twinage
