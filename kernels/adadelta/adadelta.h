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
#include "kernels/backends.h"

namespace twinage {

struct Adadelta {
  float rho = 0.95F;
  float epsilon = 1e-6F;
  float weight_decay = 0.0F;
};

void adadelta(const Context& ctx, float* x, float* mean_square_gradient, float* mean_square_step,
              const float* gradient, Index count, const Adadelta& options, float factor);

TWINAGE_BACKENDS(adadelta)

}  // namespace twinage
