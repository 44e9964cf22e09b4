// Rung 4: four numbers an instruction (float4), from global memory and from shared. A slab of
// 64 x 16 is 256 chunks of four: one for each thread, and one address to find instead of four.
#include "kernels/conv2d/rungs/layer_cuda.h"

namespace twinage::TWINAGE_GPU_NAMESPACE {
namespace {

constexpr int BM = 64, BN = 64, TM = 4, TN = 4, kThreads = 16;  // 16 x 16 threads
constexpr int kPitch = BK + 4;  // + 4: float4 stay aligned, and lines start in different banks

__global__ void __launch_bounds__(kThreads* kThreads)
    convolve(float* y, const float* x, const float* w, Layer layer) {
  GPU_SHARED(float, a, [BM][kPitch]);
  GPU_SHARED(float, b, [BN][kPitch]);
  // 1. choose the tile
  const int m0 = static_cast<int>(blockIdx.x) * BM, k0 = static_cast<int>(blockIdx.y) * BN;
  const int tx = static_cast<int>(threadIdx.x), ty = static_cast<int>(threadIdx.y);
  const int thread = ty * kThreads + tx, line = thread / 4, chunk = thread % 4 * 4;
  float sums[TM][TN] = {};
  for (int tap = 0; tap < layer.taps(); ++tap) {
    for (int c0 = 0; c0 < layer.C; c0 += BK) {
      // 2. load
      gpu::store(&a[line][chunk], four_of(layer.patch(x, m0 + line, tap), c0 + chunk));
      gpu::store(&b[line][chunk], four_of(layer.weight(w, k0 + line, tap), c0 + chunk));
      __syncthreads();
      // 3. multiply
#pragma unroll
      for (int l = 0; l < BK; l += 4) {
        float4 rows[TM], columns[TN];
#pragma unroll
        for (int i = 0; i < TM; ++i) rows[i] = gpu::load<float4>(&a[ty + i * kThreads][l]);
#pragma unroll
        for (int j = 0; j < TN; ++j) columns[j] = gpu::load<float4>(&b[tx + j * kThreads][l]);
#pragma unroll
        for (int i = 0; i < TM; ++i)
#pragma unroll
          for (int j = 0; j < TN; ++j) {
            sums[i][j] += rows[i].x * columns[j].x;
            sums[i][j] += rows[i].y * columns[j].y;
            sums[i][j] += rows[i].z * columns[j].z;
            sums[i][j] += rows[i].w * columns[j].w;
          }
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

void conv2d_rung4(const Context& ctx, View y, ConstView x, ConstView w, Conv2d conv) {
  const Layer layer = layer_of(y, x, w, conv);
  gpu::launch(ctx, "conv2d_rung4", convolve, tiles_of(layer, BM, BN), dim3(kThreads, kThreads), 0,
              y.data, x.data, w.data, layer);
}

}  // namespace twinage::TWINAGE_GPU_NAMESPACE
