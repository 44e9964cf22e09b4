// A batch has at most some hundred rows of a few classes: one thread, one row at a time.
#include <algorithm>
#include <cmath>

#include "kernels/softmax_cross_entropy/softmax_cross_entropy.h"

namespace twinage::cpu {
namespace {

// p[c] = exp(x[c] - max x); returns the sum of all but the largest. p may be x.
float exponentials(float* p, const float* x, Index classes, Index at_largest) {
  const float largest = x[at_largest];
  float rest = 0;
  for (Index c = 0; c < classes; ++c) {
    p[c] = std::exp(x[c] - largest);
    if (c != at_largest) rest += p[c];
  }
  return rest;
}

}  // namespace

void softmax(const Context&, View p, ConstView logits) {
  const Index classes = logits.shape.c;
  for (Index n = 0; n < logits.shape.n; ++n) {
    const float* x = logits.pixel(n);
    const float rest = exponentials(p.pixel(n), x, classes, std::max_element(x, x + classes) - x);
    for (Index c = 0; c < classes; ++c) p.pixel(n)[c] /= 1 + rest;
  }
}

void softmax_cross_entropy(const Context&, float* loss, View dlogits, ConstView logits,
                           const std::int32_t* labels, float weight) {
  const Index classes = logits.shape.c;
  for (Index n = 0; n < logits.shape.n; ++n) {
    const float* x = logits.pixel(n);
    float* dx = dlogits.pixel(n);
    const Index label = labels[n];
    if (label < 0) {
      loss[n] = 0;
      std::fill_n(dx, classes, 0.0F);
      continue;
    }
    const Index at_largest = std::max_element(x, x + classes) - x;
    const float behind = x[at_largest] - x[label];  // 0 when the label wins; read before dx = x
    const float rest = exponentials(dx, x, classes, at_largest);
    const float sum = 1 + rest;
    // log1p: log(1 + rest) would lose the small losses of confident answers.
    loss[n] = behind + std::log1p(rest);
    // For the label, p - 1 is minus the sum of the others: no cancellation when p is near 1.
    float others = 0;
    for (Index c = 0; c < classes; ++c)
      if (c != label) others += dx[c];
    for (Index c = 0; c < classes; ++c) dx[c] = weight * (dx[c] / sum);
    dx[label] = -weight * (others / sum);
  }
}

}  // namespace twinage::cpu
