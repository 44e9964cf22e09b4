// A block an anchor, a thread a face, which is p of some triplets and n of others.
#include "kernels/batch_loss/batch_loss_cuda.h"
#include "kernels/scale_varying_triplet/scale_varying_triplet.h"

namespace twinage::TWINAGE_GPU_NAMESPACE {
namespace {

__global__ void __launch_bounds__(kAnchorThreads)
    scale_varying_triplets(float* loss, Anchors anchors, Faces batch, ScaleVaryingTriplet options) {
  GPU_SHARED(double, sums, [kAnchorThreads]);
  const Index a = blockIdx.x;
  double loss_sum = 0, terms = 0, misordered = 0;
  for (Index i = threadIdx.x; i < batch.count; i += kAnchorThreads) {
    const float gap = batch.gap(a, i), w = options.scale(gap);
    const float d = i == a ? 0.0F : batch.distance(a, i);
    double of_face = 0;  // the sum of log(1 + exp(x)) as p
    float slope = 0;     // by D^2
    for (Index j = 0; j < batch.count && i != a; ++j) {
      const float other_gap = batch.gap(a, j);
      if (j == a || gap == other_gap) continue;
      const bool is_p = gap < other_gap;
      const float other = batch.distance(a, j), x = d * d - other * other;
      const Softplus l = softplus(is_p ? x : -x);
      slope += is_p ? w * l.slope : -options.scale(other_gap) * l.slope;
      if (!is_p) continue;
      of_face += l.value;
      terms += 1;
      misordered += d < other ? 0 : 1;
    }
    loss_sum += w * of_face;
    anchors.slope[a * batch.count + i] = 2 * d * slope;
  }
  loss_sum = fold_for_all(sums, loss_sum, Plus());
  terms = fold_for_all(sums, terms, Plus());
  misordered = fold_block(sums, misordered, Plus());
  if (threadIdx.x > 0) return;
  loss[a] = static_cast<float>(loss_sum);
  anchors.terms[a] = static_cast<float>(terms);
  anchors.active[a] = static_cast<float>(misordered);
}

}  // namespace

void scale_varying_triplet_loss(const Context& ctx, float* loss, float* dd, float* misordered,
                                const float* d, const float* age, Index batch, float weight,
                                const ScaleVaryingTriplet& options) {
  WorkspaceScope scope(ctx.workspace);
  const Anchors anchors = anchors_in(scope, batch);
  gpu::launch(ctx, "scale_varying_triplet", scale_varying_triplets, block_for_each_anchor(batch),
              dim3(kAnchorThreads), 0, loss, anchors, Faces{d, age, batch}, options);
  gather_pairs(ctx, loss, dd, misordered, anchors, batch, weight, MeanOver::terms);
}

Index scale_varying_triplet_workspace(const Context&, Index batch) {
  return anchors_workspace(batch);
}

}  // namespace twinage::TWINAGE_GPU_NAMESPACE
