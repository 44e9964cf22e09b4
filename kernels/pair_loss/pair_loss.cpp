#include "kernels/pair_loss/pair_loss.h"

#include "kernels/check.h"

namespace twinage {

void fail_unknown_pair_loss(PairLossKind kind) {
  fail("[pair_loss] unknown kind {}", static_cast<int>(kind));
}

bool same_class(const PairLoss& loss, float gap) {
  switch (loss.kind) {
    case PairLossKind::contrastive:
      return gap == 0.0F;
    case PairLossKind::revised_contrastive:
    case PairLossKind::graded_contrastive:
    case PairLossKind::gap_regression:
      return gap <= loss.tau;
  }
  fail_unknown_pair_loss(loss.kind);
}

void pair_loss(const Context& ctx, float* loss, float* dd, const float* d, const float* gap,
               const float* weight, Index count, const PairLoss& options) {
  require(count >= 0, "[pair_loss] expected count >= 0, got {}", count);
  require(options.margin > 0, "[pair_loss] expected margin > 0, got {}", options.margin);
  require(options.gap_max > 0, "[pair_loss] expected gap_max > 0 years, got {}", options.gap_max);
  require(options.scale > 0, "[pair_loss] expected scale > 0 years, got {}", options.scale);
  require(options.beta > 0, "[pair_loss] expected beta > 0, got {}", options.beta);
  TWINAGE_DISPATCH(ctx, pair_loss, loss, dd, d, gap, weight, count, options);
}

}  // namespace twinage
