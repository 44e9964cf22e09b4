// Two launches, a block an anchor: its positives against the sum over its negatives; then, when all
// terms are counted, the mean. n_pair_cpu.cpp has the algebra.
#include "kernels/batch_loss/batch_loss_cuda.h"
#include "kernels/n_pair/n_pair.h"

namespace twinage::TWINAGE_GPU_NAMESPACE {
namespace {

struct Batch {
  ConstView s;
  const float* age;
  float tau;

  __device__ __forceinline__ Index count() const { return s.shape.n; }
  __device__ __forceinline__ bool same_class(Index a, Index b) const {
    return fabsf(age[a] - age[b]) <= tau;
  }
};

__global__ void __launch_bounds__(kAnchorThreads)
    n_pairs(float* loss, Anchors anchors, Batch batch) {
  GPU_SHARED(float, folded, [kAnchorThreads]);
  GPU_SHARED(double, sums, [kAnchorThreads]);
  const Index a = blockIdx.x, count = batch.count();
  const float* const S = batch.s.pixel(a);
  float* const slope = anchors.slope + a * count;
  float largest = -INFINITY, rest = 0;
  for (Index n = threadIdx.x; n < count; n += kAnchorThreads)
    if (!batch.same_class(a, n)) largest = fmaxf(largest, S[n]);
  largest = fold_for_all(folded, largest, Larger());
  for (Index n = threadIdx.x; n < count; n += kAnchorThreads)
    if (!batch.same_class(a, n)) rest += expf(S[n] - largest);
  rest = fold_for_all(folded, rest, Plus());
  const float log_sum = largest + logf(rest);  // without negatives -infinity
  double sum = 0, push = 0, positives = 0;
  for (Index p = threadIdx.x; p < count; p += kAnchorThreads) {
    if (p == a || !batch.same_class(a, p)) continue;
    const Softplus l = softplus(log_sum - S[p]);
    sum += l.value;
    push += l.slope;
    positives += 1;
    slope[p] = -l.slope;
  }
  sum = fold_for_all(sums, sum, Plus());
  positives = fold_for_all(sums, positives, Plus());
  if (threadIdx.x == 0) {
    loss[a] = static_cast<float>(sum);
    anchors.terms[a] = static_cast<float>(positives);
  }
  const float per_negative = static_cast<float>(fold_for_all(sums, push, Plus())) / rest;
  for (Index n = threadIdx.x; n < count; n += kAnchorThreads)
    if (!batch.same_class(a, n))
      slope[n] = per_negative * expf(S[n] - largest);
    else if (n == a)
      slope[n] = 0;
}

// A block a row of ds.
__global__ void __launch_bounds__(kAnchorThreads)
    take_mean(float* loss, View ds, Anchors anchors, ConstView s, float weight) {
  GPU_SHARED(double, sums, [kAnchorThreads]);
  const Index a = blockIdx.x, count = s.shape.n;
  double terms = 0;  // a sum of whole numbers: exact in any order
  for (Index i = threadIdx.x; i < count; i += kAnchorThreads) terms += anchors.terms[i];
  terms = fold_for_all(sums, terms, Plus());
  const double by = terms > 0 ? terms : 1, lambda = NPair::kLambda / static_cast<double>(count);
  for (Index b = threadIdx.x; b < count; b += kAnchorThreads) {
    const double slope = anchors.slope[a * count + b] + anchors.slope[b * count + a];
    ds.pixel(a)[b] = static_cast<float>(weight * (slope / by + (a == b ? lambda : 0)));
  }
  if (threadIdx.x == 0) loss[a] = static_cast<float>(loss[a] / by + lambda / 2 * s.pixel(a)[a]);
}

}  // namespace

void n_pair_loss(const Context& ctx, float* loss, View ds, ConstView s, const float* age,
                 float weight, const NPair& options) {
  const Index batch = s.shape.n;
  WorkspaceScope scope(ctx.workspace);
  const Anchors anchors = anchors_in(scope, batch);
  const dim3 grid = block_for_each_anchor(batch), block(kAnchorThreads);
  gpu::launch(ctx, "n_pair", n_pairs, grid, block, 0, loss, anchors, Batch{s, age, options.tau});
  gpu::launch(ctx, "n_pair", take_mean, grid, block, 0, loss, ds, anchors, s, weight);
}

Index n_pair_workspace(const Context&, Index batch) {
  return anchors_workspace(batch);
}

}  // namespace twinage::TWINAGE_GPU_NAMESPACE
