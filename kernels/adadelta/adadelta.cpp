#include "kernels/adadelta/adadelta.h"

#include "kernels/check.h"

namespace twinage {

void adadelta(const Context& ctx, float* x, float* mean_square_gradient, float* mean_square_step,
              const float* gradient, Index count, const Adadelta& options, float factor) {
  require(count >= 0, "[adadelta] expected count >= 0, got {}", count);
  require(options.rho >= 0 && options.rho < 1, "[adadelta] expected rho in [0, 1), got {}",
          options.rho);
  require(options.epsilon > 0, "[adadelta] expected epsilon > 0, got {}", options.epsilon);
  TWINAGE_DISPATCH(ctx, adadelta, x, mean_square_gradient, mean_square_step, gradient, count,
                   options, factor);
}

}  // namespace twinage
