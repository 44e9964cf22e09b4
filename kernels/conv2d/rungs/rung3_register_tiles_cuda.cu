// Rung 3: every thread makes 4 x 4 outputs, its sums in registers: 8 numbers from shared memory for
// 16 multiply-adds, where rung 2 reads 2 for one.
#include "kernels/conv2d/rungs/layer_cuda.h"

namespace twinage::TWINAGE_GPU_NAMESPACE {
namespace {

constexpr int BM = 64, BN = 64, TM = 4, TN = 4, kThreads = 16;  // 16 x 16 threads

__global__ void __launch_bounds__(kThreads* kThreads)
    convolve(float* y, const float* x, const float* w, Layer layer) {
  GPU_SHARED(float, a, [BM][BK + 1]);
  GPU_SHARED(float, b, [BN][BK + 1]);
  // 1. choose the tile
  const int m0 = static_cast<int>(blockIdx.x) * BM, k0 = static_cast<int>(blockIdx.y) * BN;
  const int tx = static_cast<int>(threadIdx.x), ty = static_cast<int>(threadIdx.y);
  float sums[TM][TN] = {};
  for (int tap = 0; tap < layer.taps(); ++tap) {
    for (int c0 = 0; c0 < layer.C; c0 += BK) {
      // 2. load: 16 lines at a time
#pragma unroll
      for (int i = 0; i < TM; ++i) {
        const int line = ty + i * kThreads;
        a[line][tx] = one_of(layer.patch(x, m0 + line, tap), c0 + tx);
        b[line][tx] = one_of(layer.weight(w, k0 + line, tap), c0 + tx);
      }
      __syncthreads();
      // 3. multiply
#pragma unroll
      for (int l = 0; l < BK; ++l) {
        float rows[TM], columns[TN];
#pragma unroll
        for (int i = 0; i < TM; ++i) rows[i] = a[ty + i * kThreads][l];
#pragma unroll
        for (int j = 0; j < TN; ++j) columns[j] = b[tx + j * kThreads][l];
#pragma unroll
        for (int i = 0; i < TM; ++i)
#pragma unroll
          for (int j = 0; j < TN; ++j) sums[i][j] += rows[i] * columns[j];
      }
      __syncthreads();
    }
  }
  // 4. store
#pragma unroll
  for (int i = 0; i < TM; ++i)
#pragma unroll
    for (int j = 0; j < TN; ++j) {
      const int m = m0 + ty + i * kThreads, k = k0 + tx + j * kThreads;
      if (m < layer.M && k < layer.K) y[Index{m} * layer.K + k] = sums[i][j];
    }
}

}  // namespace

void conv2d_rung3(const Context& ctx, View y, ConstView x, ConstView w, Conv2d conv) {
  const Layer layer = layer_of(y, x, w, conv);
  gpu::launch(ctx, "conv2d_rung3", convolve, tiles_of(layer, BM, BN), dim3(kThreads, kThreads), 0,
              y.data, x.data, w.data, layer);
}

}  // namespace twinage::TWINAGE_GPU_NAMESPACE
