// Two launches, a block an anchor, a thread a face: its sum over all faces; then its slope, which
// needs the sums of all. O(batch^3) like the triplets', but without a sort, which threads would
// wait for.
#include "kernels/batch_loss/batch_loss_cuda.h"
#include "kernels/rank_n_contrast/rank_n_contrast.h"

namespace twinage::TWINAGE_GPU_NAMESPACE {
namespace {

struct Batch : Faces {
  float temperature;
  __device__ __forceinline__ float s(Index a, Index i) const {
    return -distance(a, i) / temperature;
  }
};

// log of the sum for the face j.
__device__ __forceinline__ float log_sum_of(const Batch& batch, Index a, Index j) {
  const float gap = batch.gap(a, j);
  float largest = batch.s(a, j);
  // Unrolled, these loops spill registers on sm_100.
#pragma unroll 1
  for (Index k = 0; k < batch.count; ++k)
    if (k != a && batch.gap(a, k) >= gap) largest = fmaxf(largest, batch.s(a, k));
  float sum = 0;
#pragma unroll 1
  for (Index k = 0; k < batch.count; ++k)
    if (k != a && batch.gap(a, k) >= gap) sum += expf(batch.s(a, k) - largest);
  return largest + logf(sum);
}

// log_sum[a][j]: as log_sum_of has it
__global__ void __launch_bounds__(kAnchorThreads)
    sum_ranks(float* loss, float* log_sum, Anchors anchors, Batch batch) {
  GPU_SHARED(double, sums, [kAnchorThreads]);
  const Index a = blockIdx.x;
  double of_thread = 0;
  for (Index j = threadIdx.x; j < batch.count; j += kAnchorThreads) {
    if (j == a) continue;
    const float of_face = log_sum_of(batch, a, j);
    log_sum[a * batch.count + j] = of_face;
    of_thread += of_face - batch.s(a, j);
  }
  of_thread = fold_block(sums, of_thread, Plus());
  if (threadIdx.x > 0) return;
  loss[a] = static_cast<float>(of_thread);
  anchors.terms[a] = anchors.active[a] = static_cast<float>(batch.count - 1);
}

__global__ void __launch_bounds__(kAnchorThreads)
    slopes(Anchors anchors, const float* log_sum, Batch batch) {
  const Index a = blockIdx.x;
  for (Index k = threadIdx.x; k < batch.count; k += kAnchorThreads) {
    const float gap = batch.gap(a, k), s = k == a ? 0.0F : batch.s(a, k);
    float share = 0;
    for (Index j = 0; j < batch.count && k != a; ++j)
      if (j != a && batch.gap(a, j) <= gap) share += expf(s - log_sum[a * batch.count + j]);
    anchors.slope[a * batch.count + k] = k == a ? 0.0F : (1 - share) / batch.temperature;
  }
}

}  // namespace

void rank_n_contrast_loss(const Context& ctx, float* loss, float* dd, const float* d,
                          const float* age, Index batch, float weight,
                          const RankNContrast& options) {
  WorkspaceScope scope(ctx.workspace);
  const Anchors anchors = anchors_in(scope, batch);
  float* const log_sum = scope.floats(batch * batch);
  const Batch faces = {{d, age, batch}, options.temperature};
  const dim3 grid = block_for_each_anchor(batch), block(kAnchorThreads);
  gpu::launch(ctx, "rank_n_contrast", sum_ranks, grid, block, 0, loss, log_sum, anchors, faces);
  gpu::launch(ctx, "rank_n_contrast", slopes, grid, block, 0, anchors, log_sum, faces);
  gather_pairs(ctx, loss, dd, nullptr, anchors, batch, weight, MeanOver::terms);
}

Index rank_n_contrast_workspace(const Context&, Index batch) {
  return anchors_workspace(batch) + workspace_floats(batch * batch);
}

}  // namespace twinage::TWINAGE_GPU_NAMESPACE
