#include "kernels/lifted/lifted.h"

#include "kernels/batch_loss/batch_loss.h"
#include "kernels/check.h"

namespace twinage {

void lifted_loss(const Context& ctx, float* loss, float* dd, float* active, const float* d,
                 const float* age, Index batch, float weight, const Lifted& options) {
  require_batch("lifted", batch);
  require(options.margin > 0, "[lifted] expected margin > 0, got {}", options.margin);
  require(options.tau >= 0, "[lifted] expected tau >= 0 years, got {}", options.tau);
  TWINAGE_DISPATCH(ctx, lifted_loss, loss, dd, active, d, age, batch, weight, options);
}

Index lifted_workspace(const Context& ctx, Index batch) {
  TWINAGE_DISPATCH(ctx, lifted_workspace, batch);
}

}  // namespace twinage
