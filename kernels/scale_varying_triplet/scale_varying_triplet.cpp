#include "kernels/scale_varying_triplet/scale_varying_triplet.h"

#include "kernels/batch_loss/batch_loss.h"
#include "kernels/check.h"

namespace twinage {

void scale_varying_triplet_loss(const Context& ctx, float* loss, float* dd, float* misordered,
                                const float* d, const float* age, Index batch, float weight,
                                const ScaleVaryingTriplet& options) {
  require_batch("scale_varying_triplet", batch);
  require(options.gap_max > 0, "[scale_varying_triplet] expected gap_max > 0 years, got {}",
          options.gap_max);
  TWINAGE_DISPATCH(ctx, scale_varying_triplet_loss, loss, dd, misordered, d, age, batch, weight,
                   options);
}

Index scale_varying_triplet_workspace(const Context& ctx, Index batch) {
  TWINAGE_DISPATCH(ctx, scale_varying_triplet_workspace, batch);
}

}  // namespace twinage
