#include "kernels/rank_n_contrast/rank_n_contrast.h"

#include "kernels/batch_loss/batch_loss.h"
#include "kernels/check.h"

namespace twinage {

void rank_n_contrast_loss(const Context& ctx, float* loss, float* dd, const float* d,
                          const float* age, Index batch, float weight,
                          const RankNContrast& options) {
  require_batch("rank_n_contrast", batch);
  require(options.temperature > 0, "[rank_n_contrast] expected temperature > 0, got {}",
          options.temperature);
  TWINAGE_DISPATCH(ctx, rank_n_contrast_loss, loss, dd, d, age, batch, weight, options);
}

Index rank_n_contrast_workspace(const Context& ctx, Index batch) {
  TWINAGE_DISPATCH(ctx, rank_n_contrast_workspace, batch);
}

}  // namespace twinage
