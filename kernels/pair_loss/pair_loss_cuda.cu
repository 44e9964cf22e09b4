// A thread a pair. A NaN among the distances stays visible in the loss.
#include "kernels/pair_loss/pair_loss.h"
#include "kernels/simt/simt.h"

namespace twinage::TWINAGE_GPU_NAMESPACE {
namespace {

constexpr int kThreads = 128;

__global__ void __launch_bounds__(kThreads)
    contrastive(float* loss, float* dd, const float* d, const float* gap, const float* weight,
                Index count, PairLoss options) {
  const Index p = static_cast<Index>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (p >= count) return;
  const float largest_same_gap = options.kind == PairLossKind::contrastive ? 0.0F : options.tau;
  const bool graded = options.kind == PairLossKind::graded_contrastive;
  const float share = graded ? fminf(1.0F, gap[p] / options.gap_max) : 1.0F;
  const float left = options.margin * share - d[p];
  const float short_of = left < 0 ? 0.0F : left;
  // Both kinds of pair have the loss e * e: e = D pulls together, e = -short_of pushes apart.
  const float e = gap[p] <= largest_same_gap ? d[p] : -short_of;
  loss[p] = e * e;
  dd[p] = weight[p] * 2 * e;
}

__global__ void __launch_bounds__(kThreads)
    gap_regression(float* loss, float* dd, const float* d, const float* gap, const float* weight,
                   Index count, float scale, float beta) {
  const Index p = static_cast<Index>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (p >= count) return;
  const float e = d[p] - gap[p] / scale;
  // Clipped to the corner, e gives both branches: inside t = e, outside t = +-beta.
  const float t = e < -beta ? -beta : e > beta ? beta : e;
  loss[p] = t * (e - t / 2) / beta;
  dd[p] = weight[p] * (t / beta);
}

}  // namespace

void pair_loss(const Context& ctx, float* loss, float* dd, const float* d, const float* gap,
               const float* weight, Index count, const PairLoss& options) {
  if (count == 0) return;
  const dim3 grid(static_cast<unsigned>(ceil_div(count, kThreads)));
  switch (options.kind) {  // here, on the host: a kernel could not fail in words
    case PairLossKind::contrastive:
    case PairLossKind::revised_contrastive:
    case PairLossKind::graded_contrastive:
      return gpu::launch(ctx, "pair_loss", contrastive, grid, dim3(kThreads), 0, loss, dd, d, gap,
                         weight, count, options);
    case PairLossKind::gap_regression:
      return gpu::launch(ctx, "pair_loss", gap_regression, grid, dim3(kThreads), 0, loss, dd, d,
                         gap, weight, count, options.scale, options.beta);
  }
  fail_unknown_pair_loss(options.kind);
}

}  // namespace twinage::TWINAGE_GPU_NAMESPACE
