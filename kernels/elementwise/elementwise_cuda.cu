// All of these wait for memory: what counts are whole, neighbouring accesses. Two contiguous views
// are walked as one long row, others pixel by pixel.
#include <limits>

#include "core/device_memory.h"
#include "kernels/elementwise/elementwise.h"
#include "kernels/simt/pack.h"

namespace twinage::TWINAGE_GPU_NAMESPACE {
namespace {

constexpr int kLanes = 32, kRows = 16;  // channels and pixels of a block that sums
constexpr int kSumThreads = kLanes * kRows;

template <int kWidth>
__global__ void __launch_bounds__(kWalkThreads) fill_with(View y, float value) {
  for_packs<kWidth>(y.shape,
                    [&](Index p, Index c) { store_pack(y.pixel(p) + c, pack_of<kWidth>(value)); });
}

template <int kWidth>
__global__ void __launch_bounds__(kWalkThreads) copy_to(View y, ConstView x) {
  for_packs<kWidth>(y.shape, [&](Index p, Index c) {
    store_pack(y.pixel(p) + c, load_pack<kWidth>(x.pixel(p) + c));
  });
}

template <int kWidth>
__global__ void __launch_bounds__(kWalkThreads) add_to(View y, ConstView x) {
  for_packs<kWidth>(y.shape, [&](Index p, Index c) {
    auto sum = load_pack<kWidth>(y.pixel(p) + c);
    const auto more = load_pack<kWidth>(x.pixel(p) + c);
#pragma unroll
    for (int i = 0; i < kWidth; ++i) sum.v[i] += more.v[i];
    store_pack(y.pixel(p) + c, sum);
  });
}

template <int kWidth>
__global__ void __launch_bounds__(kWalkThreads) lerp_to(View y, ConstView x, float share) {
  for_packs<kWidth>(y.shape, [&](Index p, Index c) {
    auto mean = load_pack<kWidth>(y.pixel(p) + c);
    const auto more = load_pack<kWidth>(x.pixel(p) + c);
#pragma unroll
    for (int i = 0; i < kWidth; ++i) mean.v[i] += share * (more.v[i] - mean.v[i]);
    store_pack(y.pixel(p) + c, mean);
  });
}

template <int kWidth>
__global__ void __launch_bounds__(kWalkThreads) multiply_to(View y, ConstView a, ConstView b) {
  for_packs<kWidth>(y.shape, [&](Index p, Index c) {
    auto product = load_pack<kWidth>(a.pixel(p) + c);
    const auto factor = load_pack<kWidth>(b.pixel(p) + c);
#pragma unroll
    for (int i = 0; i < kWidth; ++i) product.v[i] *= factor.v[i];
    store_pack(y.pixel(p) + c, product);
  });
}

template <int kWidth>
__global__ void __launch_bounds__(kWalkThreads) add_bias_to(View y, const float* bias) {
  for_packs<kWidth>(y.shape, [&](Index p, Index c) {
    auto sum = load_pack<kWidth>(y.pixel(p) + c);
    const auto more = load_pack<kWidth>(bias + c);
#pragma unroll
    for (int i = 0; i < kWidth; ++i) sum.v[i] += more.v[i];
    store_pack(y.pixel(p) + c, sum);
  });
}

template <int kWidth>
__global__ void __launch_bounds__(kWalkThreads) scale_to(View y, ConstView x, const float* scale) {
  const Index area = x.shape.h * x.shape.w;
  for_packs<kWidth>(y.shape, [&](Index p, Index c) {
    auto pack = load_pack<kWidth>(x.pixel(p) + c);
    const float s = scale[p / area];
#pragma unroll
    for (int i = 0; i < kWidth; ++i) pack.v[i] *= s;
    store_pack(y.pixel(p) + c, pack);
  });
}

// A block sums kLanes channels over all pixels; its rows take every kRows-th pixel and are added
// up in their order.
__global__ void __launch_bounds__(kSumThreads) sum_channels(float* sum, ConstView x) {
  GPU_SHARED(double, of_row, [kRows][kLanes]);
  const Index c = static_cast<Index>(blockIdx.x) * kLanes + threadIdx.x;
  double total = 0;
  if (c < x.shape.c)
    for (Index p = threadIdx.y; p < x.shape.pixels(); p += kRows) total += x.pixel(p)[c];
  of_row[threadIdx.y][threadIdx.x] = total;
  __syncthreads();
  if (threadIdx.y > 0 || c >= x.shape.c) return;
  for (int row = 1; row < kRows; ++row) total += of_row[row][threadIdx.x];
  sum[c] = static_cast<float>(sum[c] + total);
}

__global__ void clear(int* found) {
  *found = 0;
}

// Whoever finds one leaves a 1: their order does not matter.
template <int kWidth>
__global__ void __launch_bounds__(kWalkThreads) find_not_finite(int* found, ConstView x) {
  for_packs<kWidth>(x.shape, [&](Index p, Index c) {
    const auto pack = load_pack<kWidth>(x.pixel(p) + c);
    bool finite = true;
#pragma unroll
    for (int i = 0; i < kWidth; ++i)
      finite = finite && fabsf(pack.v[i]) <= std::numeric_limits<float>::max();  // not for a NaN
    if (!finite) atomicMax(found, 1);
  });
}

View one_row(View v) {
  return {v.data, vector(v.shape.size())};
}
ConstView one_row(ConstView v) {
  return {v.data, vector(v.shape.size())};
}

}  // namespace

void fill(const Context& ctx, View y, float value) {
  if (y.shape.size() == 0) return;
  if (y.contiguous()) y = one_row(y);
  const int width = in_fours(y) ? 4 : 1;
  const Walk walk = walk_over(y.shape, width);
  gpu::launch(ctx, "fill", width == 4 ? fill_with<4> : fill_with<1>, walk.grid, walk.block, 0, y,
              value);
}

void copy(const Context& ctx, View y, ConstView x) {
  if (y.shape.size() == 0) return;
  if (y.contiguous() && x.contiguous()) {
    y = one_row(y);
    x = one_row(x);
  }
  const int width = in_fours(y) && in_fours(x) ? 4 : 1;
  const Walk walk = walk_over(y.shape, width);
  gpu::launch(ctx, "copy", width == 4 ? copy_to<4> : copy_to<1>, walk.grid, walk.block, 0, y, x);
}

void add(const Context& ctx, View y, ConstView x) {
  if (y.shape.size() == 0) return;
  if (y.contiguous() && x.contiguous()) {
    y = one_row(y);
    x = one_row(x);
  }
  const int width = in_fours(y) && in_fours(x) ? 4 : 1;
  const Walk walk = walk_over(y.shape, width);
  gpu::launch(ctx, "add", width == 4 ? add_to<4> : add_to<1>, walk.grid, walk.block, 0, y, x);
}

void lerp(const Context& ctx, View y, ConstView x, float share) {
  if (y.shape.size() == 0) return;
  if (y.contiguous() && x.contiguous()) {
    y = one_row(y);
    x = one_row(x);
  }
  const int width = in_fours(y) && in_fours(x) ? 4 : 1;
  const Walk walk = walk_over(y.shape, width);
  gpu::launch(ctx, "lerp", width == 4 ? lerp_to<4> : lerp_to<1>, walk.grid, walk.block, 0, y, x,
              share);
}

void multiply(const Context& ctx, View y, ConstView a, ConstView b) {
  if (y.shape.size() == 0) return;
  const int width = in_fours(y) && in_fours(a) && in_fours(b) ? 4 : 1;
  const Walk walk = walk_over(y.shape, width);
  gpu::launch(ctx, "multiply", width == 4 ? multiply_to<4> : multiply_to<1>, walk.grid, walk.block,
              0, y, a, b);
}

void add_bias(const Context& ctx, View y, const float* bias) {
  if (y.shape.size() == 0) return;
  const int width = in_fours(y) && in_fours(bias) ? 4 : 1;
  const Walk walk = walk_over(y.shape, width);
  gpu::launch(ctx, "add_bias", width == 4 ? add_bias_to<4> : add_bias_to<1>, walk.grid, walk.block,
              0, y, bias);
}

void sum_pixels(const Context& ctx, float* sum, ConstView x) {
  if (x.shape.size() == 0) return;
  gpu::launch(ctx, "sum_pixels", sum_channels,
              dim3(static_cast<unsigned>(ceil_div(x.shape.c, kLanes))), dim3(kLanes, kRows), 0, sum,
              x);
}

void scale_rows(const Context& ctx, View y, ConstView x, const float* scale) {
  if (y.shape.size() == 0) return;
  const int width = in_fours(y) && in_fours(x) ? 4 : 1;
  const Walk walk = walk_over(y.shape, width);
  gpu::launch(ctx, "scale_rows", width == 4 ? scale_to<4> : scale_to<1>, walk.grid, walk.block, 0,
              y, x, scale);
}

bool all_finite(const Context& ctx, ConstView x) {
  if (x.shape.size() == 0) return true;
  WorkspaceScope scope(ctx.workspace);
  int* found = reinterpret_cast<int*>(scope.floats(1));
  gpu::launch(ctx, "all_finite", clear, dim3(1), dim3(1), 0, found);
  if (x.contiguous()) x = one_row(x);
  const int width = in_fours(x) ? 4 : 1;
  const Walk walk = walk_over(x.shape, width);
  gpu::launch(ctx, "all_finite", width == 4 ? find_not_finite<4> : find_not_finite<1>, walk.grid,
              walk.block, 0, found, x);
  int any = 0;
  copy_bytes(&any, Device::cpu, found, ctx.device, sizeof any);
  return any == 0;
}

}  // namespace twinage::TWINAGE_GPU_NAMESPACE
