// The gradient of y = max(0, u), where ReLU itself was another kernel's epilogue (ConvEpilogue):
//
//   du = y <= 0 ? 0 : dy
//
// At 0 the gradient is 0, as PyTorch's; under a NaN of y it passes. Exact.
#pragma once
#include "core/context.h"
#include "core/view.h"
#include "kernels/backends.h"

namespace twinage {

// All of one shape; du may be dy. Throws Error on shapes that do not fit, before writing anything.
void relu_backward(const Context& ctx, View du, ConstView dy, ConstView y);

TWINAGE_BACKENDS(relu_backward)

}  // namespace twinage
