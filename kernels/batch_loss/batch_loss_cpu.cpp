#include "core/parallel.h"
#include "kernels/batch_loss/batch_loss.h"

namespace twinage::cpu {

void gather_pairs(const Context& ctx, float* loss, float* dd, float* active_share,
                  const Anchors& anchors, Index batch, float weight, MeanOver over) {
  // Sums of whole numbers are exact in any order.
  double terms = 0, active = 0;
  for (Index a = 0; a < batch; ++a) terms += anchors.terms[a];
  for (Index a = 0; a < batch; ++a) active += anchors.active[a];
  const double by = over == MeanOver::terms ? terms : active;
  if (active_share) *active_share = terms > 0 ? static_cast<float>(active / terms) : 0;
  parallel_for(ctx.threads, batch, [&](Index a, int) {
    loss[a] = by > 0 ? static_cast<float>(loss[a] / by) : 0;
    for (Index b = a + 1; b < batch; ++b) {
      const double slope = anchors.slope[a * batch + b] + anchors.slope[b * batch + a];
      dd[pair_index(batch, a, b)] = by > 0 ? static_cast<float>(weight * slope / by) : 0;
    }
  });
}

}  // namespace twinage::cpu
