// A batch has at most some hundred rows of a hundred numbers: one thread, one row at a time,
// exponentials in float32, sums in double.
#include <algorithm>
#include <cmath>

#include "kernels/age_loss/age_loss.h"

namespace twinage::cpu {
namespace {

// What a row says: p[a] = e[a] / sum, log p[a] = x[a] - log_sum.
struct Said {
  double log_sum = 0, mean = 0, variance = 0;
};

// p = softmax(x).
Said read_row(float* p, const float* x, Index classes) {
  const Index at_largest = std::max_element(x, x + classes) - x;
  const float largest = x[at_largest];
  double rest = 0, moment = 0;  // rest: of all but the largest, whose exponential is 1
  for (Index a = 0; a < classes; ++a) {
    p[a] = std::exp(x[a] - largest);
    if (a != at_largest) rest += static_cast<double>(p[a]);
    moment += static_cast<double>(a) * static_cast<double>(p[a]);
  }
  const double sum = 1 + rest;
  Said said{static_cast<double>(largest) + std::log1p(rest), moment / sum, 0};
  for (Index a = 0; a < classes; ++a) {
    p[a] = static_cast<float>(static_cast<double>(p[a]) / sum);
    const double from_mean = static_cast<double>(a) - said.mean;
    said.variance += static_cast<double>(p[a]) * from_mean * from_mean;
  }
  return said;
}

// Of a Gaussian about an age, or of its whole year.
class Target {
 public:
  Target(Index classes, float age, float sigma) : age_(age), sigma_(sigma) {
    if (sigma == 0) return;
    double sum = 0;
    for (Index a = 0; a < classes; ++a) sum += std::exp(power(a));
    log_sum_ = std::log(sum);
  }
  // Calls f(q, log q) of a year.
  template <class F>
  void of(Index a, F f) const {
    if (sigma_ == 0) return f(a == std::lround(age_) ? 1.0 : 0.0, 0.0);
    const double log_q = power(a) - log_sum_;
    f(std::exp(log_q), log_q);
  }

 private:
  double power(Index a) const {
    const double x =
        (static_cast<double>(a) - static_cast<double>(age_)) / static_cast<double>(sigma_);
    return -x * x / 2;
  }
  float age_, sigma_;
  double log_sum_ = 0;
};

double logistic(float x) {
  return 1 / (1 + std::exp(-static_cast<double>(x)));
}

}  // namespace

void age_distribution_loss(const Context&, float* loss, View dlogits, ConstView logits,
                           const float* ages, float weight, const AgeDistributionLoss& options) {
  const Index classes = logits.shape.c;
  for (Index n = 0; n < logits.shape.n; ++n) {
    const float* x = logits.pixel(n);
    float* d = dlogits.pixel(n);
    const Said said = read_row(d, x, classes);
    const Target target(classes, ages[n], options.sigma);
    const double off = said.mean - static_cast<double>(ages[n]);
    const bool absolute = options.error == MeanError::absolute;
    const double error = absolute ? std::fabs(off) : off * off / 2;
    const double slope = absolute ? static_cast<double>((off > 0) - (off < 0)) : off;
    const double of_mean = static_cast<double>(options.error_weight) * slope,
                 of_variance = static_cast<double>(options.variance_weight);
    double divergence = 0;
    for (Index a = 0; a < classes; ++a) {
      const auto p = static_cast<double>(d[a]), from_mean = static_cast<double>(a) - said.mean;
      target.of(a, [&](double q, double log_q) {
        if (q > 0) divergence += q * (log_q - (static_cast<double>(x[a]) - said.log_sum));
        d[a] = static_cast<float>(
            static_cast<double>(weight) *
            (p - q +
             p * (of_mean * from_mean + of_variance * (from_mean * from_mean - said.variance))));
      });
    }
    loss[n] = static_cast<float>(divergence + static_cast<double>(options.error_weight) * error +
                                 of_variance * said.variance);
  }
}

void ordinal_loss(const Context&, float* loss, View dlogits, ConstView logits,
                  const std::int32_t* ranks, float weight) {
  for (Index n = 0; n < logits.shape.n; ++n) {
    const float* x = logits.pixel(n);
    double sum = 0;
    for (Index k = 0; k < logits.shape.c; ++k) {
      const bool beyond = ranks[n] > k;
      const float against = beyond ? -x[k] : x[k];
      sum += static_cast<double>(std::max(against, 0.0F)) +
             std::log1p(std::exp(-std::fabs(static_cast<double>(x[k]))));
      const auto slope = static_cast<float>(logistic(against));  // no cancellation near 1
      dlogits.pixel(n)[k] = beyond ? -weight * slope : weight * slope;
    }
    loss[n] = static_cast<float>(sum);
  }
}

void absolute_error_loss(const Context&, float* loss, View dy, ConstView y, const float* targets,
                         float weight) {
  for (Index n = 0; n < y.shape.n; ++n) {
    const float off = y.pixel(n)[0] - targets[n];
    loss[n] = std::fabs(off);
    dy.pixel(n)[0] = std::isnan(off) ? off : weight * static_cast<float>((off > 0) - (off < 0));
  }
}

}  // namespace twinage::cpu
