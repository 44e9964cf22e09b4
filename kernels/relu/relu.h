// The gradient of y = max(0, u), where ReLU itself was another kernel's epilogue (ConvEpilogue):
//
//   du = y <= 0 ? 0 : dy
//
// At 0 the gradient is 0, as PyTorch's; under a NaN of y it passes. Exact.
#pragma once
#include "core/context.h"
#include "core/view.h"

namespace twinage {

// All of one shape; du may be dy. Throws Error on shapes that do not fit, before writing anything.
void relu_backward(const Context& ctx, View du, ConstView dy, ConstView y);

// The same signatures: the definition in plain loops (naive), the fast code of the CPU (cpu), and
// the CUDA kernels on a GPU (cuda) and run by the host (simt).
#define TWINAGE_RELU_BACKEND \
  void relu_backward(const Context& ctx, View du, ConstView dy, ConstView y);

namespace naive {
TWINAGE_RELU_BACKEND
}
namespace cpu {
TWINAGE_RELU_BACKEND
}  // namespace cpu
namespace cuda {
TWINAGE_RELU_BACKEND
}  // namespace cuda
namespace simt {
TWINAGE_RELU_BACKEND
}  // namespace simt
#undef TWINAGE_RELU_BACKEND

}  // namespace twinage
