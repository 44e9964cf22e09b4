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

// loss[N] unweighted; dlogits = weight * (p - onehot(label)). labels[N] is memory of the device. A
// label that is not below the number of classes throws Error on cpu; on a device it makes its loss
// and gradient NaN, which stops a training that looks at its loss.
void softmax_cross_entropy(const Context& ctx, float* loss, View dlogits, ConstView logits,
                           const std::int32_t* labels, float weight);

// The same signatures: the definition in plain loops with double accumulators (naive), the
// fast code of the CPU (cpu), and the CUDA kernels on a GPU (cuda) and run by the host (simt).
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
namespace cuda {
TWINAGE_SOFTMAX_BACKEND
}  // namespace cuda
namespace simt {
TWINAGE_SOFTMAX_BACKEND
}  // namespace simt
#undef TWINAGE_SOFTMAX_BACKEND

}  // namespace twinage
