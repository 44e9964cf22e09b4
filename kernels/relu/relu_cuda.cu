#include "kernels/relu/relu.h"
#include "kernels/simt/pack.h"

namespace twinage::TWINAGE_GPU_NAMESPACE {
namespace {

template <int kWidth>
__global__ void __launch_bounds__(kWalkThreads)
    pass_where_positive(View du, ConstView dy, ConstView y) {
  for_packs<kWidth>(y.shape, [&](Index p, Index c) {
    auto gradient = load_pack<kWidth>(dy.pixel(p) + c);
    const auto value = load_pack<kWidth>(y.pixel(p) + c);
#pragma unroll
    for (int i = 0; i < kWidth; ++i)
      if (value.v[i] <= 0) gradient.v[i] = 0;
    store_pack(du.pixel(p) + c, gradient);
  });
}

}  // namespace

void relu_backward(const Context& ctx, View du, ConstView dy, ConstView y) {
  if (y.shape.size() == 0) return;
  const int width = in_fours(du) && in_fours(dy) && in_fours(y) ? 4 : 1;
  const Walk walk = walk_over(y.shape, width);
  gpu::launch(ctx, "relu_backward", width == 4 ? pass_where_positive<4> : pass_where_positive<1>,
              walk.grid, walk.block, 0, du, dy, y);
}

}  // namespace twinage::TWINAGE_GPU_NAMESPACE
