#include <algorithm>
#include <cmath>

#include "kernels/softmax_cross_entropy/softmax_cross_entropy.h"

namespace twinage::naive {
namespace {

// log of the sum of exp(x); the largest x is taken out so that no exponential overflows.
double log_sum_exp(const float* x, Index classes) {
  const double largest = *std::max_element(x, x + classes);
  double sum = 0;
  for (Index c = 0; c < classes; ++c) sum += std::exp(x[c] - largest);
  return largest + std::log(sum);
}

}  // namespace

void softmax(const Context&, View p, ConstView logits) {
  for (Index n = 0; n < logits.shape.n; ++n) {
    const double log_sum = log_sum_exp(logits.pixel(n), logits.shape.c);
    for (Index c = 0; c < logits.shape.c; ++c)
      p.pixel(n)[c] = static_cast<float>(std::exp(logits.pixel(n)[c] - log_sum));
  }
}

void softmax_cross_entropy(const Context&, float* loss, View dlogits, ConstView logits,
                           const std::int32_t* labels, float weight) {
  for (Index n = 0; n < logits.shape.n; ++n) {
    const bool present = labels[n] >= 0;
    const double log_sum = log_sum_exp(logits.pixel(n), logits.shape.c);
    loss[n] = present ? static_cast<float>(log_sum - logits.pixel(n)[labels[n]]) : 0.0F;
    for (Index c = 0; c < logits.shape.c; ++c) {
      const double p = std::exp(logits.pixel(n)[c] - log_sum);
      const double onehot = c == labels[n] ? 1 : 0;
      dlogits.pixel(n)[c] = present ? static_cast<float>(weight * (p - onehot)) : 0.0F;
    }
  }
}

}  // namespace twinage::naive
