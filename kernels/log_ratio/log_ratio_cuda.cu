// A block an anchor, without going through its triplets: log_ratio_cpu.cpp has the algebra.
#include "kernels/batch_loss/batch_loss_cuda.h"
#include "kernels/log_ratio/log_ratio.h"

namespace twinage::TWINAGE_GPU_NAMESPACE {
namespace {

struct Batch : Faces {
  float gap_min;

  __device__ __forceinline__ bool is_near(Index a, Index i) const { return gap(a, i) < gap_min; }
  __device__ __forceinline__ float square(Index a, Index i) const {
    return distance(a, i) * distance(a, i) + LogRatio::kEpsilon * LogRatio::kEpsilon;
  }
  // log D - log g
  __device__ __forceinline__ float u(Index a, Index i) const {
    return logf(square(a, i)) / 2 - logf(fmaxf(gap(a, i), gap_min));
  }
};

__global__ void __launch_bounds__(kAnchorThreads)
    log_ratios(float* loss, Anchors anchors, Batch batch) {
  GPU_SHARED(double, sums, [kAnchorThreads]);
  const Index a = blockIdx.x;
  double near = 0, sum_near = 0, sum_far = 0;
  for (Index i = threadIdx.x; i < batch.count; i += kAnchorThreads) {
    if (i == a) continue;
    const bool is_near = batch.is_near(a, i);
    near += is_near ? 1 : 0;
    (is_near ? sum_near : sum_far) += batch.u(a, i);
  }
  near = fold_for_all(sums, near, Plus());
  sum_near = fold_for_all(sums, sum_near, Plus());
  sum_far = fold_for_all(sums, sum_far, Plus());
  const double far = static_cast<double>(batch.count - 1) - near;
  const double mean_near = near > 0 ? sum_near / near : 0, mean_far = far > 0 ? sum_far / far : 0;
  double squares = 0;
  for (Index i = threadIdx.x; i < batch.count; i += kAnchorThreads) {
    float slope = 0;
    if (i != a) {
      const bool is_near = batch.is_near(a, i);
      const double from_near = batch.u(a, i) - mean_near, from_far = batch.u(a, i) - mean_far;
      squares += is_near ? far * from_near * from_near : (far + near) * from_far * from_far;
      const double pull = far * from_far + (is_near ? 0 : near * from_near);
      slope = static_cast<float>(2 * pull * batch.distance(a, i) / batch.square(a, i));
    }
    anchors.slope[a * batch.count + i] = slope;
  }
  squares = fold_block(sums, squares, Plus());
  if (threadIdx.x > 0) return;
  const double apart = mean_far - mean_near;
  loss[a] = static_cast<float>(squares + far * near * apart * apart);
  anchors.terms[a] = static_cast<float>(far * (far - 1) / 2 + far * near);
  anchors.active[a] = anchors.terms[a];
}

}  // namespace

void log_ratio_loss(const Context& ctx, float* loss, float* dd, const float* d, const float* age,
                    Index batch, float weight, const LogRatio& options) {
  WorkspaceScope scope(ctx.workspace);
  const Anchors anchors = anchors_in(scope, batch);
  gpu::launch(ctx, "log_ratio", log_ratios, block_for_each_anchor(batch), dim3(kAnchorThreads), 0,
              loss, anchors, Batch{{d, age, batch}, options.gap_min});
  gather_pairs(ctx, loss, dd, nullptr, anchors, batch, weight, MeanOver::terms);
}

Index log_ratio_workspace(const Context&, Index batch) {
  return anchors_workspace(batch);
}

}  // namespace twinage::TWINAGE_GPU_NAMESPACE
