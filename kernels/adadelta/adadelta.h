// ADADELTA, Zeiler 2012 (arXiv:1212.5701), algorithm 1:
//
//   E[g^2]  = rho * E[g^2] + (1 - rho) * g^2
//   dx      = - sqrt(E[dx^2] + epsilon) / sqrt(E[g^2] + epsilon) * g
//   E[dx^2] = rho * E[dx^2] + (1 - rho) * dx^2
//   x       = x + factor * dx
//
// The step factor is 1 in the paper; a schedule may lower it. Weight decay, when not 0, adds
// decay * x to g first. All arrays [count].
#pragma once
#include "core/context.h"

namespace twinage {

struct Adadelta {
  float rho = 0.95F;
  float epsilon = 1e-6F;
  float weight_decay = 0.0F;
};

void adadelta(const Context& ctx, float* x, float* mean_square_gradient, float* mean_square_step,
              const float* gradient, Index count, const Adadelta& options, float factor);

// The same signatures: the definition in plain loops with double accumulators (naive), the
// fast code of the CPU (cpu), and the CUDA kernels on a GPU (cuda) and run by the host (simt).
#define TWINAGE_ADADELTA_BACKEND                                             \
  void adadelta(const Context& ctx, float* x, float* mean_square_gradient,   \
                float* mean_square_step, const float* gradient, Index count, \
                const Adadelta& options, float factor);

namespace naive {
TWINAGE_ADADELTA_BACKEND
}
namespace cpu {
TWINAGE_ADADELTA_BACKEND
}  // namespace cpu
namespace cuda {
TWINAGE_ADADELTA_BACKEND
}  // namespace cuda
namespace simt {
TWINAGE_ADADELTA_BACKEND
}  // namespace simt
#undef TWINAGE_ADADELTA_BACKEND

}  // namespace twinage
