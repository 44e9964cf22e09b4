// One loop for each kind, without a branch that depends on the data, so that the compiler can
// vectorise it. Even all pairs of a large batch are a few thousand: one thread is enough.
#include <algorithm>
#include <cmath>

#include "kernels/pair_loss/pair_loss.h"

namespace twinage::cpu {
namespace {

void contrastive(float* loss, float* dd, const float* d, const float* gap, const float* weight,
                 Index count, const PairLoss& options) {
  const float largest_same_gap = options.kind == PairLossKind::contrastive ? 0.0F : options.tau;
  const bool graded = options.kind == PairLossKind::graded_contrastive;
  for (Index p = 0; p < count; ++p) {
    const float share = graded ? std::min(1.0F, gap[p] / options.gap_max) : 1.0F;
    // In this order NaN stays NaN.
    const float short_of = std::max(options.margin * share - d[p], 0.0F);
    // Both kinds of pair have the loss e * e: e = D pulls together, e = -short_of pushes apart.
    const float e = gap[p] <= largest_same_gap ? d[p] : -short_of;
    loss[p] = e * e;
    dd[p] = weight[p] * 2 * e;
  }
}

void gap_regression(float* loss, float* dd, const float* d, const float* gap, const float* weight,
                    Index count, float scale, float beta) {
  for (Index p = 0; p < count; ++p) {
    const float e = d[p] - gap[p] / scale;
    // Clipped to the corner, e gives both branches: inside t = e, outside t = +-beta.
    const float t = std::clamp(e, -beta, beta);
    loss[p] = t * (e - t / 2) / beta;
    dd[p] = weight[p] * (t / beta);
  }
}

}  // namespace

void pair_loss(const Context&, float* loss, float* dd, const float* d, const float* gap,
               const float* weight, Index count, const PairLoss& options) {
  switch (options.kind) {
    case PairLossKind::contrastive:
    case PairLossKind::revised_contrastive:
    case PairLossKind::graded_contrastive:
      return contrastive(loss, dd, d, gap, weight, count, options);
    case PairLossKind::gap_regression:
      return gap_regression(loss, dd, d, gap, weight, count, options.scale, options.beta);
  }
  fail_unknown_pair_loss(options.kind);
}

}  // namespace twinage::cpu
