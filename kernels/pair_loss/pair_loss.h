// Losses of one pair of faces, given D = ||z_a - z_b|| and g = |age_a - age_b| in years.
//
//   contrastive          same = (g == 0):   same * D^2 + (1 - same) * max(0, m - D)^2
//                        (Hadsell et al. 2006)
//   revised_contrastive  the same with same = (g <= tau): the paper's idea, Jeong et al. 2018;
//                        its equation is not public, so tau and m are our choice
//   graded_contrastive   ours: pairs with g > tau have the margin m * min(1, g / g_max)
//   gap_regression       ours: smooth-L1 of D - g / s with corner `beta`: the distance is the gap
//                        in units of s years
//
// The loss of a list is sum over p of weight[p] * loss[p]; the caller chooses the weights (mean,
// or both kinds of pair weighted equally). Units: D has none; g, tau, g_max, s in years.
#pragma once
#include <string_view>

#include "core/context.h"
#include "core/enum_names.h"
#include "kernels/backends.h"

namespace twinage {

enum class PairLossKind { contrastive, revised_contrastive, graded_contrastive, gap_regression };

struct PairLoss {
  PairLossKind kind = PairLossKind::gap_regression;
  float margin = 2.0F;    // m
  float tau = 3.0F;       // years; a pair with g <= tau is of the same class
  float gap_max = 40.0F;  // g_max, years
  float scale = 10.0F;    // s, years per unit of distance
  float beta = 0.2F;      // corner of smooth-L1, in units of distance
};

template <>
struct EnumNames<PairLossKind> {
  static constexpr std::string_view what = "pair_loss";
  static constexpr EnumName<PairLossKind> table[] = {
      {PairLossKind::contrastive, "contrastive"},
      {PairLossKind::revised_contrastive, "revised-contrastive"},
      {PairLossKind::graded_contrastive, "graded-contrastive"},
      {PairLossKind::gap_regression, "gap-regression"},
  };
};

// Throws Error: every backend that meets a kind it has no formula for ends here, before it writes
// anything; a kind that was added in one place only would otherwise train as another.
[[noreturn]] void fail_unknown_pair_loss(PairLossKind kind);

// Whether the loss counts this gap as "same class". Throws Error for an unknown kind.
bool same_class(const PairLoss& loss, float gap);

// loss[p] = the unweighted loss of pair p; dd[p] = weight[p] * d loss[p] / d D[p].
// All arrays [count]. The loss of a NaN distance is NaN.
void pair_loss(const Context& ctx, float* loss, float* dd, const float* d, const float* gap,
               const float* weight, Index count, const PairLoss& options);

TWINAGE_BACKENDS(pair_loss)

}  // namespace twinage
