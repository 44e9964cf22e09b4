// Rung 6: tensor cores. A warp's 32 threads together multiply 16 x 8 by 8 x 16 in one instruction;
// the operands are rounded to tf32 (10 bits of mantissa), the sums stay float32. Eight warps, 4 x
// 2, make 16 x 32 outputs each.
#include "kernels/conv2d/rungs/layer_cuda.h"

namespace twinage::TWINAGE_GPU_NAMESPACE {
namespace {

namespace wmma = nvcuda::wmma;

constexpr int BM = 64, BN = 64, kThreads = 256;
constexpr int kPitch = BK + 4;

template <class Fragment>
__device__ void load_rounded(Fragment& to, const float* from) {
  wmma::load_matrix_sync(to, from, kPitch);
#pragma unroll
  for (int e = 0; e < to.num_elements; ++e) to.x[e] = wmma::__float_to_tf32(to.x[e]);
}

// wmma wants its operands aligned to 32 bytes.
struct alignas(32) Slab {
  float a[BM][kPitch], b[BN][kPitch];
};
union Memory {
  Slab slabs[2];
  float sums[BM][BN + 4];
};

__global__ void __launch_bounds__(kThreads)
    convolve(float* y, const float* x, const float* w, Layer layer) {
  GPU_SHARED(Memory, shared, );
  // 1. choose the tile
  const int m0 = static_cast<int>(blockIdx.x) * BM, k0 = static_cast<int>(blockIdx.y) * BN;
  const int thread = static_cast<int>(threadIdx.x), line = thread / 4, chunk = thread % 4 * 4;
  const int warp = thread / 32, warp_row = warp / 2 * 16, warp_column = warp % 2 * 32;
  wmma::fragment<wmma::accumulator, 16, 16, 8, float> sums[2];
  for (auto& sum : sums) wmma::fill_fragment(sum, 0.0F);

  // 2. load
  const auto fetch_slab = [&](Slab& slab, int l0) {
    const int tap = l0 / layer.C, c0 = l0 % layer.C;
    fetch_four(&slab.a[line][chunk], layer.patch(x, m0 + line, tap), c0 + chunk);
    fetch_four(&slab.b[line][chunk], layer.weight(w, k0 + line, tap), c0 + chunk);
    __pipeline_commit();
  };
  fetch_slab(shared.slabs[0], 0);
  for (int l0 = 0, now = 0; l0 < layer.terms(); l0 += BK, now ^= 1) {
    __pipeline_wait_prior(0);
    __syncthreads();
    if (l0 + BK < layer.terms()) fetch_slab(shared.slabs[now ^ 1], l0 + BK);
    // 3. multiply
    const Slab& slab = shared.slabs[now];
#pragma unroll
    for (int l = 0; l < BK; l += 8) {
      wmma::fragment<wmma::matrix_a, 16, 16, 8, wmma::precision::tf32, wmma::row_major> rows;
      wmma::fragment<wmma::matrix_b, 16, 16, 8, wmma::precision::tf32, wmma::col_major> columns;
      load_rounded(rows, &slab.a[warp_row][l]);
#pragma unroll
      for (int j = 0; j < 2; ++j) {
        load_rounded(columns, &slab.b[warp_column + 16 * j][l]);
        wmma::mma_sync(sums[j], rows, columns, sums[j]);
      }
    }
  }
  // 4. store: which thread holds which sum is not specified, so they pass through shared memory
  __syncthreads();
#pragma unroll
  for (int j = 0; j < 2; ++j)
    wmma::store_matrix_sync(&shared.sums[warp_row][warp_column + 16 * j], sums[j], BN + 4,
                            wmma::mem_row_major);
  __syncthreads();
  for (int i = thread; i < BM * BN; i += kThreads) {
    const int m = m0 + i / BN, k = k0 + i % BN;
    if (m < layer.M && k < layer.K) y[Index{m} * layer.K + k] = shared.sums[i / BN][i % BN];
  }
}

}  // namespace

void conv2d_rung6(const Context& ctx, View y, ConstView x, ConstView w, Conv2d conv) {
  const Layer layer = layer_of(y, x, w, conv);
  gpu::launch(ctx, "conv2d_rung6", convolve, tiles_of(layer, BM, BN), dim3(kThreads), 0, y.data,
              x.data, w.data, layer);
}

}  // namespace twinage::TWINAGE_GPU_NAMESPACE
