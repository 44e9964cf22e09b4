#include "kernels/log_ratio/log_ratio.h"

#include "kernels/batch_loss/batch_loss.h"
#include "kernels/check.h"

namespace twinage {

void log_ratio_loss(const Context& ctx, float* loss, float* dd, const float* d, const float* age,
                    Index batch, float weight, const LogRatio& options) {
  require_batch("log_ratio", batch);
  require(options.gap_min > 0, "[log_ratio] expected gap_min > 0 years, got {}", options.gap_min);
  TWINAGE_DISPATCH(ctx, log_ratio_loss, loss, dd, d, age, batch, weight, options);
}

Index log_ratio_workspace(const Context& ctx, Index batch) {
  TWINAGE_DISPATCH(ctx, log_ratio_workspace, batch);
}

}  // namespace twinage
