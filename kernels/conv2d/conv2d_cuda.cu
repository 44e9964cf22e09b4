// The three convolutions as matrix products (implicit GEMM) of the kernel in product_cuda.h:
//
//                     rows            columns      depth
//   forward           pixels n,p,q    k            r,s,c     patches of x times filters
//   backward data     pixels n,h,w    c            r,s,k     patches of dy times flipped filters
//   backward filter   k               r,s,c        n,p,q     dy, transposed, times patches of x
//
// Nothing is copied beforehand: the sources of patches_cuda.h find each operand where it lies.
#include "kernels/conv2d/conv2d.h"
#include "kernels/conv2d/patches_cuda.h"
#include "kernels/conv2d/phase.h"
#include "kernels/product/product_cuda.h"

namespace twinage::TWINAGE_GPU_NAMESPACE {
namespace {

Geometry geometry_of(Shape x, Shape w, Conv2d conv) {
  const Shape y = conv2d_shape(x, w, conv);
  return {x.n, x.h, x.w, x.c, y.h, y.w, w.h, w.w, conv.stride, conv.pad_h, conv.pad_w};
}

struct Phase {
  Geometry g;
  Index last_r, last_s;
};

// Phase (row, column) of the gradient with respect to x.
Phase phase_of(Shape x, Shape w, Conv2d conv, Index row, Index column) {
  const Shape y = conv2d_shape(x, w, conv);
  const PhaseAxis r = phase_axis(x.h, w.h, conv.stride, conv.pad_h, row);
  const PhaseAxis s = phase_axis(x.w, w.w, conv.stride, conv.pad_w, column);
  return {{x.n, y.h, y.w, y.c, r.size, s.size, r.count, s.count, 1, r.before, s.before},
          r.last,
          s.last};
}

ProductPlan plan_forward(const Context& ctx, Shape x, Shape w, Conv2d conv) {
  const Geometry g = geometry_of(x, w, conv);
  return plan_product(ctx.math, g.pixels(), w.n, g.terms(), false);
}

ProductPlan plan_backward_filter(const Context& ctx, Shape x, Shape w, Conv2d conv) {
  const Geometry g = geometry_of(x, w, conv);
  return plan_product(ctx.math, w.n, g.terms(), g.pixels(), true);
}

// A matrix of `lines` lines of all channels of a pixel or of a filter.
template <Major major>
MatrixSource<major> matrix_source(const float* data, Index ld, Index lines, Index length) {
  return {data, ld, static_cast<int>(lines), static_cast<int>(length),
          float4_allowed(data, ld, length)};
}

// Statistics: a block for kChannels channels, kSlots threads for each.
constexpr int kChannels = 32, kSlots = 16;

// What every slot of a channel summed up, added in order: the same for all of them.
__device__ float sum_over_slots(float (&shared)[kSlots][kChannels], float sum) {
  shared[threadIdx.y][threadIdx.x] = sum;
  __syncthreads();
  sum = 0;
  for (int slot = 0; slot < kSlots; ++slot) sum += shared[slot][threadIdx.x];
  return sum;
}

// Mean and variance of all rows from those of the blocks, each of `rows_of_block` rows but perhaps
// the last. Chan et al. 1979, for many parts at once:
//   mean = sum of rows_i * mean_i / rows,   M2 = sum of M2_i + rows_i * (mean_i - mean)^2
__global__ void __launch_bounds__(kChannels* kSlots)
    merge_statistics(float* mean, float* variance, const float* block_mean, const float* block_m2,
                     int blocks, int rows_of_block, int rows, int channels) {
  GPU_SHARED(float, sums, [kSlots][kChannels]);
  GPU_SHARED(float, squares, [kSlots][kChannels]);
  const int channel = static_cast<int>(blockIdx.x) * kChannels + static_cast<int>(threadIdx.x);
  const bool exists = channel < channels;
  const auto rows_of = [&](int block) {
    return static_cast<float>(min(rows_of_block, rows - block * rows_of_block));
  };
  const auto at = [&](int block) { return Index{block} * channels + channel; };
  const int first = static_cast<int>(threadIdx.y);

  float sum = 0;
  for (int block = first; exists && block < blocks; block += kSlots)
    sum += rows_of(block) * block_mean[at(block)];
  const float m = rows > 0 ? sum_over_slots(sums, sum) / static_cast<float>(rows) : 0;
  float m2 = 0;
  for (int block = first; exists && block < blocks; block += kSlots) {
    const float distance = block_mean[at(block)] - m;
    m2 += block_m2[at(block)] + rows_of(block) * (distance * distance);
  }
  m2 = sum_over_slots(squares, m2);
  if (!exists || threadIdx.y != 0) return;
  mean[channel] = m;
  variance[channel] = rows > 0 ? m2 / static_cast<float>(rows) : 0;
}

}  // namespace

Index conv2d_workspace(const Context& ctx, Shape x, Shape w, Conv2d conv) {
  const ProductPlan forward = plan_forward(ctx, x, w, conv);
  return std::max(2 * workspace_floats(Index{forward.row_blocks} * w.n),
                  workspace_floats(plan_backward_filter(ctx, x, w, conv).partial_floats()));
}

void conv2d_forward(const Context& ctx, View y, ConstView x, ConstView w, Conv2d conv,
                    ConvEpilogue epilogue) {
  const Geometry g = geometry_of(x.shape, w.shape, conv);
  const Index K = w.shape.n;
  const ProductPlan plan = plan_forward(ctx, x.shape, w.shape, conv);
  const bool statistics = epilogue.mean != nullptr;
  Epilogue way_out;
  way_out.bias = epilogue.bias;
  way_out.relu = epilogue.relu;
  way_out.vector = float4_allowed(y.data, y.ld, K);
  WorkspaceScope scope(ctx.workspace);
  if (statistics) {
    way_out.block_mean = scope.floats(Index{plan.row_blocks} * K);
    way_out.block_m2 = scope.floats(Index{plan.row_blocks} * K);
  }
  launch_product(ctx, "conv2d_forward", plan, PatchSource<Major::depth>(x, g),
                 matrix_source<Major::depth>(w.data, g.terms(), K, g.terms()),
                 MatrixTarget{y.data, y.ld, 0}, way_out);
  if (statistics)
    gpu::launch(ctx, "conv2d_forward", merge_statistics,
                dim3(static_cast<unsigned>(ceil_div(K, kChannels))), dim3(kChannels, kSlots), 0,
                epilogue.mean, epilogue.variance, way_out.block_mean, way_out.block_m2,
                plan.row_blocks, plan.rows_of_block(), plan.M, plan.N);
}

void conv2d_backward_data(const Context& ctx, View dx, ConstView dy, ConstView w, Conv2d conv,
                          Write write) {
  const Index stride = conv.stride, C = dx.shape.c;
  Epilogue way_out;
  way_out.accumulate = write == Write::accumulate;
  way_out.vector = float4_allowed(dx.data, dx.ld, C);
  for (Index row = 0; row < std::min(stride, dx.shape.h); ++row)
    for (Index column = 0; column < std::min(stride, dx.shape.w); ++column) {
      const auto [g, last_r, last_s] = phase_of(dx.shape, w.shape, conv, row, column);
      launch_product(
          ctx, "conv2d_backward_data", plan_product(ctx.math, g.pixels(), C, g.terms(), false),
          PatchSource<Major::depth>(dy, g), FlippedFilterSource(w, g, last_r, last_s, stride),
          PhaseTarget(dx, g, row, column, stride), way_out);
    }
}

void conv2d_backward_filter(const Context& ctx, View dw, ConstView dy, ConstView x, Conv2d conv,
                            Write write) {
  const Geometry g = geometry_of(x.shape, dw.shape, conv);
  const ProductPlan plan = plan_backward_filter(ctx, x.shape, dw.shape, conv);
  const bool accumulate = write == Write::accumulate;
  WorkspaceScope scope(ctx.workspace);
  float* partials = plan.splits > 1 ? scope.floats(plan.partial_floats()) : nullptr;
  MatrixTarget target{dw.data, g.terms(), 0};
  if (partials != nullptr) target = {partials, g.terms(), Index{plan.M} * plan.N};
  Epilogue way_out;
  way_out.accumulate = accumulate && partials == nullptr;
  way_out.vector = float4_allowed(target.data, target.ld, g.terms());
  launch_product(ctx, "conv2d_backward_filter", plan,
                 matrix_source<Major::outer>(dy.data, dy.ld, g.pixels(), dw.shape.n),
                 PatchSource<Major::outer>(x, g), target, way_out);
  if (partials != nullptr)
    sum_partials(ctx, "conv2d_backward_filter", plan, dw.data, g.terms(), partials, accumulate);
}

}  // namespace twinage::TWINAGE_GPU_NAMESPACE
