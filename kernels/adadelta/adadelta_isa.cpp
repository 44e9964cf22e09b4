#include "kernels/adadelta/adadelta_isa.h"

namespace twinage::TWINAGE_ISA_NAMESPACE {
namespace {

// The compiler vectorises this loop; the square roots and the division are the vector
// instructions, exact to half a unit in the last place.
void update(float* __restrict x, float* __restrict mean_square_gradient,
            float* __restrict mean_square_step, const float* __restrict gradient, Index count,
            const Adadelta& options, float factor) {
  const float rho = options.rho, rest = 1 - options.rho;
  const float epsilon = options.epsilon, decay = options.weight_decay;
  for (Index i = 0; i < count; ++i) {
    const float g = gradient[i] + decay * x[i];
    const float mean_g2 = rho * mean_square_gradient[i] + rest * (g * g);
    const float mean_dx2 = mean_square_step[i];
    // One root of the ratio instead of two roots. The ratio stays in range: epsilon, not 0, is
    // the least of numerator and denominator.
    const float dx = -__builtin_sqrtf((mean_dx2 + epsilon) / (mean_g2 + epsilon)) * g;
    mean_square_gradient[i] = mean_g2;
    mean_square_step[i] = rho * mean_dx2 + rest * (dx * dx);
    x[i] += factor * dx;
  }
}

}  // namespace

const AdadeltaKernel kAdadelta = update;

}  // namespace twinage::TWINAGE_ISA_NAMESPACE
