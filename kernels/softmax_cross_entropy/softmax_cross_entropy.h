// Softmax and cross-entropy of a batch of logits, shape matrix(N, classes).
//
//   p = softmax(logits),   loss[n] = -log p[n, label[n]]
//
// A label below 0 is absent: its loss and gradient are 0. Stable for any finite logits.
#pragma once
#include <cstdint>

#include "core/context.h"
#include "core/view.h"

namespace twinage {

void softmax(const Context& ctx, View p, ConstView logits);

// loss[N] unweighted; dlogits = weight * (p - onehot(label)). Throws Error on a label that is not
// below the number of classes.
void softmax_cross_entropy(const Context& ctx, float* loss, View dlogits, ConstView logits,
                           const std::int32_t* labels, float weight);

// The same signatures: the definition in plain loops with double accumulators (naive), and the
// fast code of the CPU (cpu).
#define TWINAGE_SOFTMAX_BACKEND                                                               \
  void softmax(const Context& ctx, View p, ConstView logits);                                 \
  void softmax_cross_entropy(const Context& ctx, float* loss, View dlogits, ConstView logits, \
                             const std::int32_t* labels, float weight);

namespace naive {
TWINAGE_SOFTMAX_BACKEND
}
namespace cpu {
TWINAGE_SOFTMAX_BACKEND
}  // namespace cpu
#undef TWINAGE_SOFTMAX_BACKEND

}  // namespace twinage
