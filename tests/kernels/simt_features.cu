#include "kernels/simt/simt.h"
#include "tests/kernels/simt_features.h"

namespace twinage::test {
namespace {

constexpr unsigned kAll = 0xffffffffU;

// 1. within a warp

__global__ void shuffles_kernel(int* out) {
  const int lane = static_cast<int>(threadIdx.x), value = 100 + lane;
  int* result = out + lane * kShuffles;
  result[0] = __shfl_sync(kAll, value, 5);
  result[1] = __shfl_sync(kAll, value, lane + 1, 8);  // within groups of 8
  result[2] = __shfl_xor_sync(kAll, value, 3);
  result[3] = __shfl_down_sync(kAll, value, 4);
  result[4] = __shfl_up_sync(kAll, value, 4, 16);
  result[5] = result[6] = -1;
  if (lane % 2 == 1) result[5] = __shfl_xor_sync(0xaaaaaaaaU, value, 2);
  if (lane >= 16) return;  // who has returned need not take part in votes any longer
  result[6] = __all_sync(kAll, value) != 0 ? __shfl_xor_sync(0xffffU, value, 1) : 0;
}

__global__ void votes_kernel(std::uint32_t* out) {
  const int lane = static_cast<int>(threadIdx.x), vote = lane % 3 == 0 ? 1 : 0;
  std::uint32_t* result = out + lane * 4;
  result[0] = __ballot_sync(kAll, vote);
  result[1] = static_cast<std::uint32_t>(__any_sync(kAll, vote));
  result[2] = static_cast<std::uint32_t>(__all_sync(kAll, vote));
  result[3] = 0;
  if (lane % 2 == 1) result[3] = __ballot_sync(0xaaaaaaaaU, vote);
}

// 2. blocks and grids

__global__ void indices_kernel(int* out) {
  const unsigned block = (blockIdx.z * gridDim.y + blockIdx.y) * gridDim.x + blockIdx.x;
  const unsigned thread = (threadIdx.z * blockDim.y + threadIdx.y) * blockDim.x + threadIdx.x;
  const unsigned number = block * blockDim.x * blockDim.y * blockDim.z + thread;
  out[number] = static_cast<int>(number);
}

__global__ void reverse_kernel(float* y, const float* x) {
  GPU_DYNAMIC_SHARED(float, reversed);
  GPU_SHARED(float, first, [1]);
  const unsigned t = threadIdx.x, n = blockDim.x, i = blockIdx.x * n + t;
  reversed[n - 1 - t] = x[i];
  if (t == 0) first[0] = x[i];
  __syncthreads();
  y[i] = reversed[t] - first[0];
}

__global__ void histogram_kernel(int* counts, int* largest, const int* values, int count,
                                 int bins) {
  GPU_SHARED(int, local, [32]);
  const int t = static_cast<int>(threadIdx.x);
  const int i = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  if (t < bins) local[t] = 0;
  __syncthreads();
  if (i < count) {
    atomicAdd(&local[values[i] % bins], 1);
    atomicMax(largest, values[i]);
  }
  __syncthreads();
  if (t < bins) atomicAdd(&counts[t], local[t]);
}

__global__ void double_kernel(float* y, const float* x, int count) {
  const int i = 4 * static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  if (i >= count) return;
  const auto v = gpu::load<float4>(x + i);
  gpu::store(y + i, make_float4(2 * v.x, 2 * v.y, 2 * v.z, 2 * v.w));
}

// 3. tensor cores: a warp computes 16 x 16 results

using namespace nvcuda;

__global__ void multiply_tf32_kernel(float* c, const float* a, const float* b, int N, int K) {
#if GPU_ARCH >= 800
  GPU_SHARED(float, as, [16][8]);
  GPU_SHARED(float, bs, [8][16]);
  const int lane = static_cast<int>(threadIdx.x);
  const int m0 = static_cast<int>(blockIdx.y) * 16, n0 = static_cast<int>(blockIdx.x) * 16;
  wmma::fragment<wmma::accumulator, 16, 16, 8, float> sum;
  wmma::fill_fragment(sum, 0.0F);
  for (int k0 = 0; k0 < K; k0 += 8) {
    for (int e = lane; e < 128; e += 32) {
      as[e / 8][e % 8] = wmma::__float_to_tf32(a[(m0 + e / 8) * K + k0 + e % 8]);
      bs[e / 16][e % 16] = wmma::__float_to_tf32(b[(k0 + e / 16) * N + n0 + e % 16]);
    }
    __syncwarp();
    wmma::fragment<wmma::matrix_a, 16, 16, 8, wmma::precision::tf32, wmma::row_major> fa;
    wmma::fragment<wmma::matrix_b, 16, 16, 8, wmma::precision::tf32, wmma::row_major> fb;
    wmma::load_matrix_sync(fa, &as[0][0], 8);
    wmma::load_matrix_sync(fb, &bs[0][0], 16);
    wmma::mma_sync(sum, fa, fb, sum);
    __syncwarp();
  }
  wmma::store_matrix_sync(c + m0 * N + n0, sum, static_cast<unsigned>(N), wmma::mem_row_major);
#endif
}

// b is taken as columns this time, and c goes through shared memory as columns.
__global__ void multiply_bf16_kernel(float* c, const float* a, const float* b, int N, int K) {
#if GPU_ARCH >= 800
  GPU_SHARED(__nv_bfloat16, as, [16][16]);
  GPU_SHARED(__nv_bfloat16, bs, [16][16]);  // [n][k]
  GPU_SHARED(float, cs, [16][16]);          // [n][m]
  const int lane = static_cast<int>(threadIdx.x);
  const int m0 = static_cast<int>(blockIdx.y) * 16, n0 = static_cast<int>(blockIdx.x) * 16;
  wmma::fragment<wmma::accumulator, 16, 16, 16, float> sum;
  wmma::fill_fragment(sum, 0.0F);
  for (int k0 = 0; k0 < K; k0 += 16) {
    for (int e = lane; e < 256; e += 32) {
      as[e / 16][e % 16] = __float2bfloat16(a[(m0 + e / 16) * K + k0 + e % 16]);
      bs[e % 16][e / 16] = __float2bfloat16(b[(k0 + e / 16) * N + n0 + e % 16]);
    }
    __syncwarp();
    wmma::fragment<wmma::matrix_a, 16, 16, 16, __nv_bfloat16, wmma::row_major> fa;
    wmma::fragment<wmma::matrix_b, 16, 16, 16, __nv_bfloat16, wmma::col_major> fb;
    wmma::load_matrix_sync(fa, &as[0][0], 16);
    wmma::load_matrix_sync(fb, &bs[0][0], 16);
    wmma::mma_sync(sum, fa, fb, sum);
    __syncwarp();
  }
  wmma::store_matrix_sync(&cs[0][0], sum, 16, wmma::mem_col_major);
  __syncwarp();
  for (int e = lane; e < 256; e += 32) c[(m0 + e / 16) * N + n0 + e % 16] = cs[e % 16][e / 16];
#endif
}

// 4. asynchronous copies

__global__ void sums_kernel(float* sums, const float* x, int count) {
  GPU_SHARED(float, buffer, [2][64]);
  const int t = static_cast<int>(threadIdx.x), tiles = (count + 63) / 64;
  const auto fetch = [&](int tile) {  // 16 threads copy 4 floats each
    const int i = tile * 64 + 4 * t, left = min(max(count - i, 0), 4);
    if (t < 16)
      __pipeline_memcpy_async(&buffer[tile % 2][4 * t], x + i, 16, sizeof(float) * (4 - left));
    __pipeline_commit();
  };
  fetch(0);
  for (int tile = 0; tile < tiles; ++tile) {
    if (tile + 1 < tiles) fetch(tile + 1);
    __pipeline_wait_prior(tile + 1 < tiles ? 1 : 0);
    __syncthreads();
    float sum = buffer[tile % 2][t] + buffer[tile % 2][t + 32];
    for (int d = 16; d > 0; d /= 2) sum += __shfl_down_sync(kAll, sum, d);
    if (t == 0) sums[tile] = sum;
    __syncthreads();
  }
}

__global__ void large_kernel(int* out) {
  GPU_SHARED(int, large, [64 * 256]);
  large[threadIdx.x] = 1;
  out[threadIdx.x] = large[threadIdx.x];
}

template <int kWarps>
__global__ void __launch_bounds__(32 * kWarps, 2) bounded_kernel(int* out) {
  if (out != nullptr) out[threadIdx.x] = 1;
}

unsigned blocks_for(int count, int per_block) {
  return static_cast<unsigned>((count + per_block - 1) / per_block);
}

}  // namespace

void shuffles(const Context& ctx, int* out) {
  gpu::launch(ctx, "shuffles", shuffles_kernel, dim3(1), dim3(32), 0, out);
}

void votes(const Context& ctx, std::uint32_t* out) {
  gpu::launch(ctx, "votes", votes_kernel, dim3(1), dim3(32), 0, out);
}

void indices(const Context& ctx, int* out) {
  gpu::launch(ctx, "indices", indices_kernel, dim3(2, 3, 2), dim3(4, 3, 2), 0, out);
}

void reverse_blocks(const Context& ctx, float* y, const float* x, unsigned blocks,
                    unsigned threads) {
  gpu::launch(ctx, "reverse_blocks", reverse_kernel, dim3(blocks), dim3(threads),
              threads * sizeof(float), y, x);
}

void histogram(const Context& ctx, int* counts, int* largest, const int* values, int count,
               int bins) {
  gpu::launch(ctx, "histogram", histogram_kernel, dim3(blocks_for(count, 128)), dim3(128), 0,
              counts, largest, values, count, bins);
}

void double_by_vectors(const Context& ctx, float* y, const float* x, int count) {
  gpu::launch(ctx, "double_by_vectors", double_kernel, dim3(blocks_for(count, 512)), dim3(128), 0,
              y, x, count);
}

void multiply_tf32(const Context& ctx, float* c, const float* a, const float* b, int M, int N,
                   int K) {
  gpu::launch(ctx, "multiply_tf32", multiply_tf32_kernel,
              dim3(blocks_for(N, 16), blocks_for(M, 16)), dim3(32), 0, c, a, b, N, K);
}

void multiply_bf16(const Context& ctx, float* c, const float* a, const float* b, int M, int N,
                   int K) {
  gpu::launch(ctx, "multiply_bf16", multiply_bf16_kernel,
              dim3(blocks_for(N, 16), blocks_for(M, 16)), dim3(32), 0, c, a, b, N, K);
}

void sums_by_copies(const Context& ctx, float* sums, const float* x, int count) {
  gpu::launch(ctx, "sums_by_copies", sums_kernel, dim3(1), dim3(32), 0, sums, x, count);
}

void refused_launch(const Context& ctx, Refused what) {
  int* nowhere = nullptr;
  if (what == Refused::block)
    gpu::launch(ctx, "refused", large_kernel, dim3(1), dim3(1025), 0, nowhere);
  if (what == Refused::grid)
    gpu::launch(ctx, "refused", large_kernel, dim3(1, 0), dim3(32), 0, nowhere);
  if (what == Refused::dynamic_shared)
    gpu::launch(ctx, "refused", indices_kernel, dim3(1), dim3(32), 100 * 1024, nowhere);
  if (what == Refused::bounds) {
    gpu::launch(ctx, "refused", bounded_kernel<4>, dim3(1), dim3(128), 0, nowhere);
    gpu::launch(ctx, "refused", bounded_kernel<2>, dim3(1), dim3(8, 9), 0, nowhere);
  }
  if (what == Refused::fixed_shared)
    gpu::launch(ctx, "refused", large_kernel, dim3(1), dim3(32), 0, nowhere);
}

}  // namespace twinage::test
