#include <cmath>

#include "kernels/adadelta/adadelta.h"

namespace twinage::naive {

void adadelta(const Context&, float* x, float* mean_square_gradient, float* mean_square_step,
              const float* gradient, Index count, const Adadelta& options, float factor) {
  const double rho = options.rho, epsilon = options.epsilon, decay = options.weight_decay;
  for (Index i = 0; i < count; ++i) {
    const double g = gradient[i] + decay * x[i];
    const double mean_g2 = rho * mean_square_gradient[i] + (1 - rho) * g * g;
    const double dx = -std::sqrt(mean_square_step[i] + epsilon) / std::sqrt(mean_g2 + epsilon) * g;
    mean_square_gradient[i] = static_cast<float>(mean_g2);
    mean_square_step[i] = static_cast<float>(rho * mean_square_step[i] + (1 - rho) * dx * dx);
    x[i] = static_cast<float>(x[i] + static_cast<double>(factor) * dx);
  }
}

}  // namespace twinage::naive
