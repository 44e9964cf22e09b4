// A warp a row; its lanes stride along it. y may be x: a lane reads only what it writes itself.
#include "kernels/l2_normalize/l2_normalize.h"
#include "kernels/simt/simt.h"

namespace twinage::TWINAGE_GPU_NAMESPACE {
namespace {

constexpr unsigned kWholeWarp = 0xffffffff;
constexpr int kWarps = 4;  // rows of a block

// In a fixed order, the same in every lane.
__device__ __forceinline__ float sum_of_lanes(float v) {
  for (int lanes = 16; lanes > 0; lanes /= 2) v += __shfl_xor_sync(kWholeWarp, v, lanes);
  return v;
}

__device__ __forceinline__ float dot(const float* a, const float* b, Index count) {
  float sum = 0;
  for (Index c = threadIdx.x; c < count; c += 32) sum += a[c] * b[c];
  return sum_of_lanes(sum);
}

__global__ void __launch_bounds__(32 * kWarps) normalize_rows(View y, ConstView x, float radius) {
  const Index n = static_cast<Index>(blockIdx.x) * kWarps + threadIdx.y;
  if (n >= x.shape.n) return;
  const float norm = sqrtf(dot(x.pixel(n), x.pixel(n), x.shape.c));
  const float scale = norm == 0 ? 0.0F : radius / norm;
  for (Index c = threadIdx.x; c < x.shape.c; c += 32) y.pixel(n)[c] = scale * x.pixel(n)[c];
}

__global__ void __launch_bounds__(32 * kWarps)
    normalize_rows_backward(View dx, ConstView dy, ConstView x, float radius, bool accumulate) {
  const Index n = static_cast<Index>(blockIdx.x) * kWarps + threadIdx.y;
  if (n >= x.shape.n) return;
  const float *from = x.pixel(n), *d = dy.pixel(n);
  const float square = dot(from, from, x.shape.c);
  const float along = square == 0 ? 0.0F : dot(d, from, x.shape.c) / square;
  const float scale = square == 0 ? 0.0F : radius / sqrtf(square);
  float* to = dx.pixel(n);
  for (Index c = threadIdx.x; c < x.shape.c; c += 32) {
    const float here = scale * (d[c] - along * from[c]);
    to[c] = accumulate ? to[c] + here : here;
  }
}

dim3 a_warp_each(Index rows) {
  return dim3(static_cast<unsigned>(ceil_div(rows, kWarps)));
}

}  // namespace

void l2_normalize_forward(const Context& ctx, View y, ConstView x, float radius) {
  if (x.shape.n == 0) return;
  gpu::launch(ctx, "l2_normalize_forward", normalize_rows, a_warp_each(x.shape.n), dim3(32, kWarps),
              0, y, x, radius);
}

void l2_normalize_backward(const Context& ctx, View dx, ConstView dy, ConstView x, float radius,
                           Write write) {
  if (x.shape.n == 0) return;
  gpu::launch(ctx, "l2_normalize_backward", normalize_rows_backward, a_warp_each(x.shape.n),
              dim3(32, kWarps), 0, dx, dy, x, radius, write == Write::accumulate);
}

}  // namespace twinage::TWINAGE_GPU_NAMESPACE
