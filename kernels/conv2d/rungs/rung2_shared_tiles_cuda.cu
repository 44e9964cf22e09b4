// Rung 2: 16 x 16 threads make 16 pixels x 16 channels, and share what they load: a number that one
// thread brings from global memory is read by 16.
#include "kernels/conv2d/rungs/layer_cuda.h"

namespace twinage::TWINAGE_GPU_NAMESPACE {
namespace {

constexpr int BM = 16, BN = 16;

__global__ void __launch_bounds__(BM* BN)
    convolve(float* y, const float* x, const float* w, Layer layer) {
  GPU_SHARED(float, a, [BM][BK + 1]);  // + 1: the lines start in different banks
  GPU_SHARED(float, b, [BN][BK + 1]);
  // 1. choose the tile
  const int m0 = static_cast<int>(blockIdx.x) * BM, k0 = static_cast<int>(blockIdx.y) * BN;
  const int tx = static_cast<int>(threadIdx.x), ty = static_cast<int>(threadIdx.y);
  float sum = 0;
  for (int tap = 0; tap < layer.taps(); ++tap) {
    for (int c0 = 0; c0 < layer.C; c0 += BK) {
      // 2. load
      a[ty][tx] = one_of(layer.patch(x, m0 + ty, tap), c0 + tx);
      b[ty][tx] = one_of(layer.weight(w, k0 + ty, tap), c0 + tx);
      __syncthreads();
      // 3. multiply
#pragma unroll
      for (int l = 0; l < BK; ++l) sum += a[ty][l] * b[tx][l];
      __syncthreads();
    }
  }
  // 4. store
  const int m = m0 + ty, k = k0 + tx;
  if (m < layer.M && k < layer.K) y[Index{m} * layer.K + k] = sum;
}

}  // namespace

void conv2d_rung2(const Context& ctx, View y, ConstView x, ConstView w, Conv2d conv) {
  const Layer layer = layer_of(y, x, w, conv);
  gpu::launch(ctx, "conv2d_rung2", convolve, tiles_of(layer, BM, BN), dim3(BN, BM), 0, y.data,
              x.data, w.data, layer);
}

}  // namespace twinage::TWINAGE_GPU_NAMESPACE
