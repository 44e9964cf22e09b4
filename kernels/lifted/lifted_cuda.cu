// Two launches, a block an anchor: the sum over its negatives, which a pair needs of both its
// faces; then its pairs. lifted_cpu.cpp has the algebra.
#include "kernels/batch_loss/batch_loss_cuda.h"
#include "kernels/lifted/lifted.h"

namespace twinage::TWINAGE_GPU_NAMESPACE {
namespace {

struct Batch : Faces {
  float margin, tau;
  __device__ __forceinline__ bool same_class(Index a, Index b) const { return gap(a, b) <= tau; }
};

// log(exp(x) + exp(y)); -infinity stands for a sum without terms, and a NaN comes through.
__device__ __forceinline__ float log_add(float x, float y) {
  const float largest = x > y ? x : y, other = x > y ? y : x;
  return largest + (largest == other ? logf(2.0F) : log1pf(expf(other - largest)));
}

// of_negatives[a] = log(sum over the negatives k of a of exp(m - D(a, k)))
__global__ void __launch_bounds__(kAnchorThreads) sum_negatives(float* of_negatives, Batch batch) {
  GPU_SHARED(float, folded, [kAnchorThreads]);
  const Index a = blockIdx.x;
  float largest = -INFINITY, sum = 0;
  for (Index k = threadIdx.x; k < batch.count; k += kAnchorThreads)
    if (k != a && !batch.same_class(a, k)) largest = fmaxf(largest, -batch.distance(a, k));
  largest = fold_for_all(folded, largest, Larger());
  for (Index k = threadIdx.x; k < batch.count; k += kAnchorThreads)
    if (k != a && !batch.same_class(a, k)) sum += expf(-batch.distance(a, k) - largest);
  sum = fold_block(folded, sum, Plus());
  if (threadIdx.x == 0) of_negatives[a] = batch.margin + largest + logf(sum);
}

__global__ void __launch_bounds__(kAnchorThreads)
    lifted(float* loss, Anchors anchors, const float* of_negatives, Batch batch) {
  GPU_SHARED(double, sums, [kAnchorThreads]);
  const Index a = blockIdx.x;
  float* const slope = anchors.slope + a * batch.count;
  double sum = 0, by_negatives = 0, positives = 0, active = 0;
  for (Index j = threadIdx.x; j < batch.count; j += kAnchorThreads) {
    if (j == a || !batch.same_class(a, j)) continue;
    const float both = log_add(of_negatives[a], of_negatives[j]);
    const float J = both + batch.distance(a, j), counted = J <= 0 ? 0.0F : J;  // NaN stays
    positives += 1;
    active += J <= 0 ? 0 : 1;
    sum += counted * counted / 2;
    slope[j] = counted;
    if (counted != 0) by_negatives += counted * expf(of_negatives[a] - both);
  }
  by_negatives = fold_for_all(sums, by_negatives, Plus());
  // N_a is in the pair's term of the other face, too.
  const float pull = static_cast<float>(-2 * by_negatives);
  for (Index k = threadIdx.x; k < batch.count; k += kAnchorThreads) {
    if (k != a && batch.same_class(a, k)) continue;
    const bool counts = k != a && pull != 0;
    slope[k] = counts ? pull * expf(batch.margin - batch.distance(a, k) - of_negatives[a]) : 0.0F;
  }
  sum = fold_for_all(sums, sum, Plus());
  positives = fold_for_all(sums, positives, Plus());
  active = fold_block(sums, active, Plus());
  if (threadIdx.x > 0) return;
  loss[a] = static_cast<float>(sum);
  anchors.terms[a] = static_cast<float>(positives);
  anchors.active[a] = static_cast<float>(active);
}

}  // namespace

void lifted_loss(const Context& ctx, float* loss, float* dd, float* active, const float* d,
                 const float* age, Index batch, float weight, const Lifted& options) {
  WorkspaceScope scope(ctx.workspace);
  const Anchors anchors = anchors_in(scope, batch);
  float* const of_negatives = scope.floats(batch);
  const Batch faces = {{d, age, batch}, options.margin, options.tau};
  const dim3 grid = block_for_each_anchor(batch), block(kAnchorThreads);
  gpu::launch(ctx, "lifted", sum_negatives, grid, block, 0, of_negatives, faces);
  gpu::launch(ctx, "lifted", lifted, grid, block, 0, loss, anchors, of_negatives, faces);
  gather_pairs(ctx, loss, dd, active, anchors, batch, weight, MeanOver::terms);
}

Index lifted_workspace(const Context&, Index batch) {
  return anchors_workspace(batch) + workspace_floats(batch);
}

}  // namespace twinage::TWINAGE_GPU_NAMESPACE
