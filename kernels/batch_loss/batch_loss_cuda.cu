#include "kernels/batch_loss/batch_loss_cuda.h"

namespace twinage::TWINAGE_GPU_NAMESPACE {
namespace {

// A block an anchor: its share of the loss, and the pairs of which it is the first.
__global__ void __launch_bounds__(kAnchorThreads)
    gather(float* loss, float* dd, float* active_share, Anchors anchors, Index faces, float weight,
           bool over_active) {
  GPU_SHARED(double, sums, [kAnchorThreads]);
  const Index a = blockIdx.x;
  const int t = static_cast<int>(threadIdx.x);
  // Sums of whole numbers: exact in any order.
  double terms = 0, active = 0;
  for (Index i = t; i < faces; i += kAnchorThreads) {
    terms += anchors.terms[i];
    active += anchors.active[i];
  }
  terms = fold_for_all(sums, terms, Plus());
  active = fold_for_all(sums, active, Plus());
  const double by = over_active ? active : terms;
  for (Index b = a + 1 + t; b < faces; b += kAnchorThreads) {
    const double slope = anchors.slope[a * faces + b] + anchors.slope[b * faces + a];
    dd[pair_index(faces, a, b)] = by > 0 ? static_cast<float>(weight * slope / by) : 0.0F;
  }
  if (t > 0) return;
  loss[a] = by > 0 ? static_cast<float>(loss[a] / by) : 0.0F;
  if (a == 0 && active_share) *active_share = terms > 0 ? static_cast<float>(active / terms) : 0.0F;
}

}  // namespace

void gather_pairs(const Context& ctx, float* loss, float* dd, float* active_share,
                  const Anchors& anchors, Index batch, float weight, MeanOver over) {
  gpu::launch(ctx, "gather_pairs", gather, block_for_each_anchor(batch), dim3(kAnchorThreads), 0,
              loss, dd, active_share, anchors, batch, weight, over == MeanOver::active);
}

}  // namespace twinage::TWINAGE_GPU_NAMESPACE
