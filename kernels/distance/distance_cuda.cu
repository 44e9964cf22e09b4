#include "kernels/distance/distance.h"
#include "kernels/simt/pack.h"

namespace twinage::TWINAGE_GPU_NAMESPACE {
namespace {

constexpr unsigned kWholeWarp = 0xffffffff;
constexpr int kWarps = 8;     // pairs of a block of distance_pairs_forward
constexpr int kGather = 128;  // columns of a block of distance_pairs_backward; pairs it stages

// The checks of the dispatcher cannot read pairs that lie on the device.
__device__ __forceinline__ bool in_range(IndexPair pair, Index rows) {
  return pair.a >= 0 && pair.a < rows && pair.b >= 0 && pair.b < rows && pair.a != pair.b;
}

// A warp a pair: its lanes stride along the row, then add up in a fixed order.
template <int kWidth>
__global__ void __launch_bounds__(32 * kWarps)
    pairs_forward(float* d, ConstView z, const IndexPair* pairs, Index count) {
  const Index p = static_cast<Index>(blockIdx.x) * kWarps + threadIdx.y;
  if (p >= count) return;
  const IndexPair pair = pairs[p];
  if (!in_range(pair, z.shape.n)) {
    if (threadIdx.x == 0) d[p] = NAN;
    return;
  }
  float sum = 0;
  for (Index c = threadIdx.x * kWidth; c < z.shape.c; c += 32 * kWidth) {
    const auto a = load_pack<kWidth>(z.pixel(pair.a) + c);
    const auto b = load_pack<kWidth>(z.pixel(pair.b) + c);
#pragma unroll
    for (int i = 0; i < kWidth; ++i) {
      const float difference = a.v[i] - b.v[i];
      sum += difference * difference;
    }
  }
  for (int lanes = 16; lanes > 0; lanes /= 2) sum += __shfl_xor_sync(kWholeWarp, sum, lanes);
  if (threadIdx.x == 0) d[p] = sqrtf(sum);
}

// A block owns some columns of one row of dz and goes through the pairs in order: every element is
// a sum in that order, and no two threads write to one.
__global__ void __launch_bounds__(kGather)
    pairs_backward(View dz, ConstView z, const IndexPair* pairs, Index count, const float* d,
                   const float* dd) {
  GPU_SHARED(std::int32_t, partner, [kGather]);  // -1: not a pair of this row
  GPU_SHARED(float, factor, [kGather]);
  const Index row = blockIdx.x, c = static_cast<Index>(blockIdx.y) * kGather + threadIdx.x;
  const bool mine = c < z.shape.c;
  const float here = mine ? z.pixel(row)[c] : 0;
  float sum = mine ? dz.pixel(row)[c] : 0;
  for (Index first = 0; first < count; first += kGather) {
    const int staged = static_cast<int>(std::min<Index>(kGather, count - first));
    const int t = static_cast<int>(threadIdx.x);
    if (t < staged) {
      const Index p = first + t;
      const IndexPair pair = pairs[p];
      const bool joins = pair.a == row || pair.b == row;
      const bool counts = joins && in_range(pair, z.shape.n) && d[p] != 0;
      partner[t] = !counts ? -1 : pair.a == row ? pair.b : pair.a;
      factor[t] = counts ? dd[p] / d[p] : 0;
    }
    __syncthreads();
    // Either way round, the row is pulled along (its own values - its partner's).
    for (int i = 0; i < staged; ++i)
      if (mine && partner[i] >= 0) sum += factor[i] * (here - z.pixel(partner[i])[c]);
    __syncthreads();
  }
  if (mine) dz.pixel(row)[c] = sum;
}

// A block computes BM x BN distances, a thread TM x TN of them, BK columns of a and b at a time.
constexpr int BM = 64, BN = 64, BK = 8, TM = 4, TN = 4, kPad = 4;
constexpr int kTileThreads = (BM / TM) * (BN / TN);
constexpr int kLoaders = kTileThreads / 2;
static_assert(BM == BN && BM * BK / 4 == kLoaders, "half of the threads load one tile");

// Four columns of a row, zeros outside: equal values of a and b add nothing.
template <int kWidth>
__device__ __forceinline__ Pack<4> four_columns(ConstView v, Index row, Index column) {
  if (row >= v.shape.n) return pack_of<4>(0);
  if (kWidth == 4 && column + 4 <= v.shape.c) return load_pack<4>(v.pixel(row) + column);
  Pack<4> four;
#pragma unroll
  for (int i = 0; i < 4; ++i) four.v[i] = column + i < v.shape.c ? v.pixel(row)[column + i] : 0;
  return four;
}

// Transposed, so that the rows a thread computes with lie side by side. A warp stores 16 rows of
// two columns at a time; kPad puts the two into different banks.
template <int kWidth>
__device__ __forceinline__ void load_tile(float (&tile)[BK][BM + kPad], ConstView v,
                                          Index first_row, Index first_column, int loader) {
  const int row = loader / 2, column = loader % 2 * 4;
  const auto four = four_columns<kWidth>(v, first_row + row, first_column + column);
#pragma unroll
  for (int s = 0; s < 4; ++s) tile[column + s][row] = four.v[s];
}

template <int kWidth>
__global__ void __launch_bounds__(kTileThreads) tiles(View d, ConstView a, ConstView b) {
  GPU_SHARED(float, As, [BK][BM + kPad]);
  GPU_SHARED(float, Bs, [BK][BN + kPad]);
  const Index i0 = static_cast<Index>(blockIdx.y) * BM, j0 = static_cast<Index>(blockIdx.x) * BN;
  const int t = static_cast<int>(threadIdx.x);
  const int i = t / (BN / TN) * TM, j = t % (BN / TN) * TN;  // of what it computes
  float sum[TM][TN] = {};
  for (Index k = 0; k < a.shape.c; k += BK) {
    // 1. load a tile of a and one of b
    if (t < kLoaders)
      load_tile<kWidth>(As, a, i0, k, t);
    else
      load_tile<kWidth>(Bs, b, j0, k, t - kLoaders);
    __syncthreads();
    // 2. add up squared differences
#pragma unroll
    for (int s = 0; s < BK; ++s) {
      const auto of_a = load_pack<4>(&As[s][i]), of_b = load_pack<4>(&Bs[s][j]);
#pragma unroll
      for (int m = 0; m < TM; ++m)
#pragma unroll
        for (int n = 0; n < TN; ++n) {
          const float difference = of_a.v[m] - of_b.v[n];
          sum[m][n] += difference * difference;
        }
    }
    __syncthreads();
  }
  // 3. store
#pragma unroll
  for (int m = 0; m < TM; ++m)
#pragma unroll
    for (int n = 0; n < TN; ++n)
      if (i0 + i + m < a.shape.n && j0 + j + n < b.shape.n)
        d.pixel(i0 + i + m)[j0 + j + n] = sqrtf(sum[m][n]);
}

}  // namespace

void distance_pairs_forward(const Context& ctx, float* d, ConstView z,
                            std::span<const IndexPair> pairs) {
  if (pairs.empty()) return;
  const auto count = static_cast<Index>(pairs.size());
  gpu::launch(ctx, "distance_pairs_forward", in_fours(z) ? pairs_forward<4> : pairs_forward<1>,
              dim3(static_cast<unsigned>(ceil_div(count, kWarps))), dim3(32, kWarps), 0, d, z,
              pairs.data(), count);
}

void distance_pairs_backward(const Context& ctx, View dz, ConstView z,
                             std::span<const IndexPair> pairs, const float* d, const float* dd) {
  if (pairs.empty() || z.shape.n == 0) return;
  const dim3 grid(static_cast<unsigned>(z.shape.n),
                  static_cast<unsigned>(ceil_div(z.shape.c, kGather)));
  gpu::launch(ctx, "distance_pairs_backward", pairs_backward, grid, dim3(kGather), 0, dz, z,
              pairs.data(), static_cast<Index>(pairs.size()), d, dd);
}

void distance_matrix(const Context& ctx, View d, ConstView a, ConstView b) {
  const dim3 grid(static_cast<unsigned>(ceil_div(b.shape.n, BN)),
                  static_cast<unsigned>(ceil_div(a.shape.n, BM)));
  gpu::launch(ctx, "distance_matrix", in_fours(a) && in_fours(b) ? tiles<4> : tiles<1>, grid,
              dim3(kTileThreads), 0, d, a, b);
}

}  // namespace twinage::TWINAGE_GPU_NAMESPACE
