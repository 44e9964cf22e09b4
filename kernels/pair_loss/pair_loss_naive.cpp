#include <algorithm>
#include <cmath>

#include "kernels/pair_loss/pair_loss.h"

namespace twinage::naive {
namespace {

struct LossAndSlope {
  double loss = 0, slope = 0;  // slope: d loss / d D
};

LossAndSlope contrastive(double d, bool same, double margin) {
  if (same) return {d * d, 2 * d};
  const double short_of = std::max(margin - d, 0.0);
  return {short_of * short_of, -2 * short_of};
}

// Smooth-L1 of the error e with its corner at beta: e^2 / (2 beta) inside, |e| - beta / 2 outside.
LossAndSlope smooth_l1(double e, double beta) {
  if (std::fabs(e) < beta) return {e * e / (2 * beta), e / beta};
  return {std::fabs(e) - beta / 2, e > 0 ? 1.0 : -1.0};
}

LossAndSlope of_pair(const PairLoss& options, double d, float gap) {
  switch (options.kind) {
    case PairLossKind::contrastive:
    case PairLossKind::revised_contrastive:
      return contrastive(d, same_class(options, gap), options.margin);
    case PairLossKind::graded_contrastive: {
      const double share = std::min(1.0, static_cast<double>(gap) / options.gap_max);
      return contrastive(d, same_class(options, gap), options.margin * share);
    }
    case PairLossKind::gap_regression:
      return smooth_l1(d - static_cast<double>(gap) / options.scale, options.beta);
  }
  fail_unknown_pair_loss(options.kind);
}

}  // namespace

void pair_loss(const Context&, float* loss, float* dd, const float* d, const float* gap,
               const float* weight, Index count, const PairLoss& options) {
  for (Index p = 0; p < count; ++p) {
    const auto [value, slope] = of_pair(options, d[p], gap[p]);
    loss[p] = static_cast<float>(value);
    dd[p] = static_cast<float>(weight[p] * slope);
  }
}

}  // namespace twinage::naive
