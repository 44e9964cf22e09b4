#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/age_loss/age_loss.h"

namespace twinage::naive {
namespace {

using Doubles = std::vector<double>;

// log softmax(x); the largest x is taken out so that no exponential overflows.
Doubles log_softmax(const float* x, Index classes) {
  const double largest = *std::max_element(x, x + classes);
  double sum = 0;
  for (Index a = 0; a < classes; ++a) sum += std::exp(x[a] - largest);
  Doubles log_p;
  for (Index a = 0; a < classes; ++a) log_p.push_back(x[a] - largest - std::log(sum));
  return log_p;
}

// log q; minus infinity where q is 0.
Doubles log_target(Index classes, double age, double sigma) {
  Doubles log_q;
  if (sigma == 0) {
    for (Index a = 0; a < classes; ++a)
      log_q.push_back(std::log(a == std::lround(age) ? 1.0 : 0.0));
    return log_q;
  }
  double sum = 0;
  const auto power = [&](Index a) {
    const double x = (static_cast<double>(a) - age) / sigma;
    return -x * x / 2;
  };
  for (Index a = 0; a < classes; ++a) sum += std::exp(power(a));
  for (Index a = 0; a < classes; ++a) log_q.push_back(power(a) - std::log(sum));
  return log_q;
}

double logistic(double x) {
  return 1 / (1 + std::exp(-x));
}

}  // namespace

void age_distribution_loss(const Context&, float* loss, View dlogits, ConstView logits,
                           const float* ages, float weight, const AgeDistributionLoss& options) {
  const Index classes = logits.shape.c;
  for (Index n = 0; n < logits.shape.n; ++n) {
    const double t = ages[n];
    const Doubles log_p = log_softmax(logits.pixel(n), classes),
                  log_q = log_target(classes, t, options.sigma);
    const auto p = [&](Index a) { return std::exp(log_p[static_cast<std::size_t>(a)]); };
    const auto q = [&](Index a) { return std::exp(log_q[static_cast<std::size_t>(a)]); };
    double divergence = 0, mean = 0, variance = 0;
    for (Index a = 0; a < classes; ++a) {
      const auto at = static_cast<std::size_t>(a);
      // A NaN of the logits is to show even where q is 0.
      divergence += q(a) > 0 ? q(a) * (log_q[at] - log_p[at]) : 0 * p(a);
      mean += static_cast<double>(a) * p(a);
    }
    for (Index a = 0; a < classes; ++a) variance += p(a) * std::pow(a - mean, 2);
    const bool absolute = options.error == MeanError::absolute;
    const double off = mean - t;
    const double error = absolute ? std::fabs(off) : off * off / 2;
    const double slope = absolute ? static_cast<double>((off > 0) - (off < 0)) : off;
    loss[n] = static_cast<float>(divergence + options.error_weight * error +
                                 options.variance_weight * variance);
    for (Index a = 0; a < classes; ++a) {
      const double from_mean = static_cast<double>(a) - mean;
      dlogits.pixel(n)[a] = static_cast<float>(
          weight * (p(a) - q(a) + options.error_weight * slope * p(a) * from_mean +
                    options.variance_weight * p(a) * (from_mean * from_mean - variance)));
    }
  }
}

void ordinal_loss(const Context&, float* loss, View dlogits, ConstView logits,
                  const std::int32_t* ranks, float weight) {
  for (Index n = 0; n < logits.shape.n; ++n) {
    double sum = 0;
    for (Index k = 0; k < logits.shape.c; ++k) {
      const double x = logits.pixel(n)[k];
      const bool beyond = ranks[n] > k;
      // -log s(x) = log(1 + exp(-x)), and 1 - s(x) = s(-x).
      const double towards = beyond ? x : -x;
      sum += std::max(-towards, 0.0) + std::log1p(std::exp(-std::fabs(x)));
      dlogits.pixel(n)[k] = static_cast<float>(weight * (beyond ? -logistic(-x) : logistic(x)));
    }
    loss[n] = static_cast<float>(sum);
  }
}

void absolute_error_loss(const Context&, float* loss, View dy, ConstView y, const float* targets,
                         float weight) {
  for (Index n = 0; n < y.shape.n; ++n) {
    const double off = static_cast<double>(y.pixel(n)[0]) - targets[n];
    loss[n] = static_cast<float>(std::fabs(off));
    dy.pixel(n)[0] = std::isnan(off) ? static_cast<float>(off)
                                     : weight * static_cast<float>((off > 0) - (off < 0));
  }
}

}  // namespace twinage::naive
