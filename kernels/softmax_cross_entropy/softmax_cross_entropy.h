// Softmax and cross-entropy of a batch of logits, shape matrix(N, classes).
//
//   p = softmax(logits),   loss[n] = -log p[n, label[n]]
//
// A label below 0 is absent: its loss and gradient are 0. Stable for any finite logits.
#pragma once
#include <cstdint>

#include "core/context.h"
#include "core/view.h"
#include "kernels/backends.h"

namespace twinage {

void softmax(const Context& ctx, View p, ConstView logits);

// loss[N] unweighted; dlogits = weight * (p - onehot(label)). labels[N] is memory of the device. A
// label that is not below the number of classes throws Error on cpu; on a device it makes its loss
// and gradient NaN, which stops a training that looks at its loss.
void softmax_cross_entropy(const Context& ctx, float* loss, View dlogits, ConstView logits,
                           const std::int32_t* labels, float weight);

TWINAGE_BACKENDS(softmax)
TWINAGE_BACKENDS(softmax_cross_entropy)

}  // namespace twinage
