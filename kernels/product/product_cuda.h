// The kernel behind every matrix product and convolution on the GPU, and how it is launched.
//
// Where an output goes is told by a Target: `float* row(int m)` is where out[m][0] lies.
#pragma once
#include "kernels/product/tile_cuda.h"

namespace twinage::TWINAGE_GPU_NAMESPACE {

// How the outputs of a product are shared out among blocks. Made from the sizes alone, so that the
// same product is cut alike on every GPU, and gives the same bits.
struct ProductPlan {
  int M, N, K;
  Math math;
  bool small;  // tiles of 64 x 32 instead of 128 x 64
  int splits;  // of the depth; each makes an output of its own, to be added up
  int depth_of_split;
  int row_blocks, column_blocks;

  int rows_of_block() const { return small ? 64 : 128; }
  // Floats for the outputs of all splits.
  Index partial_floats() const { return splits > 1 ? Index{splits} * M * N : 0; }
};

// may_split: whether the caller adds the splits' outputs up (sum_partials).
ProductPlan plan_product(Math math, Index M, Index N, Index K, bool may_split);

// out[m][n] = or += partials[0][m][n] + partials[1][m][n] + ..., in this order; ld: out's pitch.
void sum_partials(const Context& ctx, const char* operation, const ProductPlan& plan, float* out,
                  Index ld, const float* partials, bool accumulate);

// Rows `ld` floats apart; every split has a matrix of its own.
struct MatrixTarget {
  float* data;
  Index ld;
  Index split_pitch;  // floats; 0 without splits

  __device__ float* row(int m) const { return data + blockIdx.z * split_pitch + m * ld; }
};

// What happens to the sums on the way out, in this order.
struct Epilogue {
  // Of each channel (column) over the rows of a block: [row_blocks][N] each. Null: not wanted.
  float* block_mean = nullptr;
  float* block_m2 = nullptr;    // sum of squared distances from the block's mean
  const float* bias = nullptr;  // [N]
  bool relu = false;
  bool accumulate = false;  // out += instead of out =
  bool vector = false;      // whether float4 stores are allowed
};

// Scratch of block_statistics().
template <int BN>
struct StatisticsShared {
  float partial[kThreadRows][BN];
  float mean[BN];
};

// Mean and M2 of the block's columns. In two passes over the registers, each summing a thread's
// rows first and then the 16 threads of a column, in order.
template <class Tile>
__device__ void block_statistics(const float (&sums)[Tile::TM][Tile::TN], const Epilogue& epilogue,
                                 StatisticsShared<Tile::BN>& shared, int row_block, int rows,
                                 int n0, int N) {
  const int column = static_cast<int>(threadIdx.x);
  const auto sum_of_column = [&] {
    float sum = 0;
    for (int t = 0; t < kThreadRows; ++t) sum += shared.partial[t][column];
    return sum;
  };
  __syncthreads();  // the memory held slabs or sums
#pragma unroll
  for (int j = 0; j < Tile::TN; ++j) {
    float sum = 0;
#pragma unroll
    for (int i = 0; i < Tile::TM; ++i) sum += Tile::row(i) < rows ? sums[i][j] : 0;
    shared.partial[thread_row()][Tile::column(j)] = sum;
  }
  __syncthreads();
  if (column < Tile::BN) shared.mean[column] = sum_of_column() / static_cast<float>(rows);
  __syncthreads();
#pragma unroll
  for (int j = 0; j < Tile::TN; ++j) {
    const float mean = shared.mean[Tile::column(j)];
    float sum = 0;
#pragma unroll
    for (int i = 0; i < Tile::TM; ++i) {
      const float distance = Tile::row(i) < rows ? sums[i][j] - mean : 0;
      sum += distance * distance;
    }
    shared.partial[thread_row()][Tile::column(j)] = sum;
  }
  __syncthreads();
  if (column < Tile::BN && n0 + column < N) {
    const Index at = Index{row_block} * N + n0 + column;
    epilogue.block_mean[at] = shared.mean[column];
    epilogue.block_m2[at] = sum_of_column();
  }
}

// Bias, what was there before, ReLU.
__device__ inline float finished(float sum, const Epilogue& epilogue, const float* to, int n) {
  if (epilogue.accumulate) sum += to[n];
  if (epilogue.bias != nullptr) sum += epilogue.bias[n];
  return epilogue.relu ? fmaxf(sum, 0.0F) : sum;
}

template <class Tile, class Target>
__device__ void store_sums(const float (&sums)[Tile::TM][Tile::TN], const Target& out,
                           const Epilogue& epilogue, int m0, int M, int n0, int N) {
  constexpr int kRun = Tile::kColumnRun;
#pragma unroll
  for (int i = 0; i < Tile::TM; ++i) {
    const int m = m0 + Tile::row(i);
    if (m >= M) continue;
    float* to = out.row(m);
#pragma unroll
    for (int j = 0; j < Tile::TN; j += kRun) {
      const int n = n0 + Tile::column(j);
      if constexpr (kRun == 4) {
        if (epilogue.vector) {  // N is a multiple of 4
          if (n >= N) continue;
          const float* s = &sums[i][j];
          gpu::store(to + n, make_float4(finished(s[0], epilogue, to, n),
                                         finished(s[1], epilogue, to, n + 1),
                                         finished(s[2], epilogue, to, n + 2),
                                         finished(s[3], epilogue, to, n + 3)));
          continue;
        }
      }
#pragma unroll
      for (int e = 0; e < kRun; ++e)
        if (n + e < N) to[n + e] = finished(sums[i][j + e], epilogue, to, n + e);
    }
  }
}

template <class Tile, class SourceA, class SourceB, class Target>
__global__ void __launch_bounds__(kProductThreads, Tile::kResidentBlocks)
    product(SourceA a, SourceB b, Target out, Epilogue epilogue, ProductPlan plan) {
  constexpr int BM = Tile::BM, BN = Tile::BN, BK = Tile::BK;
  // wmma loads want 32 bytes of alignment.
  struct alignas(32) Slabs {
    typename Tile::SlabA a[2];
    typename Tile::SlabB b[2];
  };
  union Shared {
    Slabs slabs;
    typename Tile::Shared tile;
    StatisticsShared<BN> statistics;
  };
  GPU_SHARED(Shared, shared, );

  // 1. choose the tile: neighbouring blocks have the same rows
  const int block = static_cast<int>(blockIdx.x);
  const int row_block = block / plan.column_blocks;
  const int m0 = row_block * BM, n0 = block % plan.column_blocks * BN;
  const int l0 = static_cast<int>(blockIdx.z) * plan.depth_of_split;
  const int l1 = min(l0 + plan.depth_of_split, plan.K);

  // 2. load: a slab is fetched while the one before it is multiplied
  Feed<SourceA, typename Tile::SlabA, typename Tile::Element> feed_a(a, m0);
  Feed<SourceB, typename Tile::SlabB, typename Tile::Element> feed_b(b, n0);
  Tile tile;
  feed_a.fetch(shared.slabs.a[0], l0);
  feed_b.fetch(shared.slabs.b[0], l0);
  feed_a.land(shared.slabs.a[0]);
  feed_b.land(shared.slabs.b[0]);
  for (int l = l0, now = 0; l < l1; l += BK, now ^= 1) {
    const bool more = l + BK < l1;
    __pipeline_wait_prior(0);
    // Slab `now` is there for all, and nobody reads the other one any more.
    __syncthreads();
    if (more) feed_a.fetch(shared.slabs.a[now ^ 1], l + BK);
    if (more) feed_b.fetch(shared.slabs.b[now ^ 1], l + BK);
    // 3. multiply
    tile.multiply(shared.slabs.a[now], shared.slabs.b[now]);
    if (more) feed_a.land(shared.slabs.a[now ^ 1]);
    if (more) feed_b.land(shared.slabs.b[now ^ 1]);
  }

  // 4. store
  float sums[Tile::TM][Tile::TN];
  tile.take(sums, shared.tile);
  if (epilogue.block_mean != nullptr)
    block_statistics<Tile>(sums, epilogue, shared.statistics, row_block, min(BM, plan.M - m0), n0,
                           plan.N);
  store_sums<Tile>(sums, out, epilogue, m0, plan.M, n0, plan.N);
}

template <class SourceA, class SourceB, class Target>
void launch_product(const Context& ctx, const char* operation, const ProductPlan& plan,
                    const SourceA& a, const SourceB& b, const Target& out,
                    const Epilogue& epilogue) {
  constexpr Major A = SourceA::kMajor, B = SourceB::kMajor;
  const auto launch = [&](auto kernel) {
    const dim3 grid(
        static_cast<unsigned>(plan.row_blocks) * static_cast<unsigned>(plan.column_blocks), 1,
        static_cast<unsigned>(plan.splits));
    gpu::launch(ctx, operation, kernel, grid, dim3(kProductThreads), 0, a, b, out, epilogue, plan);
  };
  if (plan.M == 0 || plan.N == 0) return;
  switch (plan.math) {  // of a known kind: require_math() looked
    case Math::tf32:
      return launch(product<TensorTile<Tf32, A, B>, SourceA, SourceB, Target>);
    case Math::bf16:
      return launch(product<TensorTile<Bf16, A, B>, SourceA, SourceB, Target>);
    case Math::fp32:
      if (plan.small)
        launch(product<FloatTile<64, 32, A, B>, SourceA, SourceB, Target>);
      else
        launch(product<FloatTile<128, 64, A, B>, SourceA, SourceB, Target>);
  }
}

}  // namespace twinage::TWINAGE_GPU_NAMESPACE
