// The multiplication of two slabs in shared memory by a block of 128 threads. Each tile has
//
//   BM, BN, BK                  the block's part of the output; the depth of a slab
//   kResidentBlocks             that a multiprocessor has registers for: what nvcc may use up
//   multiply(a, b)              adds the product of two slabs to sums it keeps to itself
//   take(sums, shared)          gives every thread its TM x TN sums, at row(i) and column(j)
//
// whatever arithmetic is behind it: FloatTile on the ordinary cores, TensorTile on tensor cores.
#pragma once
#include "kernels/product/operand_cuda.h"

namespace twinage::TWINAGE_GPU_NAMESPACE {

// The block's 128 threads stand in 16 rows of 8.
constexpr int kThreadRows = 16, kThreadColumns = 8;

__device__ inline int thread_row() {
  return static_cast<int>(threadIdx.x) / kThreadColumns;
}
__device__ inline int thread_column() {
  return static_cast<int>(threadIdx.x) % kThreadColumns;
}

// Where the i-th row or column of thread t is, of `kThreads` along this direction, each of which
// has runs of kRun neighbours.
template <int kThreads, int kRun>
__device__ constexpr int position(int t, int i) {
  return i / kRun * (kThreads * kRun) + t * kRun + i % kRun;
}

// Where the depth runs along the lines of a slab, a float4 holds 4 depths of one row, and threads
// that are neighbours take neighbouring rows: with the slab's pitch of 20 they hit different banks.
// Where rows run along the lines, a float4 holds 4 rows.
template <Major major>
constexpr int kRunOf = major == Major::depth ? 1 : 4;

// One thread's rows (or columns) of 4 depths from k on.
template <int T, int kThreads, class Slab>
__device__ __forceinline__ void load_fragment(float (&to)[T][4], const Slab& slab, int t, int k) {
  constexpr int kRun = kRunOf<Slab::kMajor>;
  if constexpr (kRun == 1) {
#pragma unroll
    for (int i = 0; i < T; ++i) {
      const float4 v = gpu::load<float4>(&slab.values[position<kThreads, kRun>(t, i)][k]);
      to[i][0] = v.x, to[i][1] = v.y, to[i][2] = v.z, to[i][3] = v.w;
    }
  } else {
#pragma unroll
    for (int l = 0; l < 4; ++l)
#pragma unroll
      for (int i = 0; i < T; i += 4) {
        const float4 v = gpu::load<float4>(&slab.values[k + l][position<kThreads, kRun>(t, i)]);
        to[i][l] = v.x, to[i + 1][l] = v.y, to[i + 2][l] = v.z, to[i + 3][l] = v.w;
      }
  }
}

// float32: every thread multiplies TM rows by TN columns, sums in registers. For each depth it
// reads TM + TN numbers from shared memory and does TM * TN multiply-adds with them.
template <int kBM, int kBN, Major major_a, Major major_b>
class FloatTile {
 public:
  static constexpr int BM = kBM, BN = kBN, BK = 16;
  static constexpr int TM = BM / kThreadRows, TN = BN / kThreadColumns;
  // On sm_120 the three that other GPUs hold would leave too few registers for two fragments along
  // the depth.
  static constexpr int kResidentBlocks = BM < 128 ? 5 : GPU_ARCH >= 1200 ? 2 : 3;
  static constexpr int kColumnRun = kRunOf<major_b>;
  using Element = float;
  using SlabA = Slab<major_a, BM, BK, Element>;
  using SlabB = Slab<major_b, BN, BK, Element>;
  struct Shared {};

  __device__ static int row(int i) {
    return position<kThreadRows, kRunOf<major_a>>(thread_row(), i);
  }
  __device__ static int column(int j) {
    return position<kThreadColumns, kColumnRun>(thread_column(), j);
  }

  __device__ void multiply(const SlabA& a, const SlabB& b) {
#pragma unroll
    for (int k = 0; k < BK; k += 4) {
      float rows[TM][4], columns[TN][4];
      load_fragment<TM, kThreadRows>(rows, a, thread_row(), k);
      load_fragment<TN, kThreadColumns>(columns, b, thread_column(), k);
#pragma unroll
      for (int l = 0; l < 4; ++l)
#pragma unroll
        for (int i = 0; i < TM; ++i)
#pragma unroll
          for (int j = 0; j < TN; ++j) sums_[i][j] += rows[i][l] * columns[j][l];
    }
  }

  __device__ void take(float (&sums)[TM][TN], Shared&) {
#pragma unroll
    for (int i = 0; i < TM; ++i)
#pragma unroll
      for (int j = 0; j < TN; ++j) sums[i][j] = sums_[i][j];
  }

 private:
  float sums_[TM][TN] = {};
};

// What tensor cores multiply: float32 with the mantissa rounded to 10 bits (tf32) or to 7 (bf16).
// Products and sums are float32.
struct Tf32 {
  using Element = float;  // in shared memory
  using Operand = nvcuda::wmma::precision::tf32;
  static constexpr int kDepth = 8;  // of one instruction
  static constexpr int BK = 16;
  static constexpr int kResidentBlocks = 3;
};
struct Bf16 {
  using Element = __nv_bfloat16;
  using Operand = __nv_bfloat16;
  static constexpr int kDepth = 16;
  static constexpr int BK = 32;
  static constexpr int kResidentBlocks = 2;  // chunks pass through registers
};

// Tensor cores: a warp multiplies pieces of 16 x 16 x kDepth at once. Which thread holds which
// element of a piece (fragment) is not specified, so sums go back through shared memory.
template <class Format, Major major_a, Major major_b>
class TensorTile {
 public:
  static constexpr int BM = 128, BN = 64, BK = Format::BK;
  static constexpr int TM = BM / kThreadRows, TN = BN / kThreadColumns;
  static constexpr int kResidentBlocks = Format::kResidentBlocks;
  static constexpr int kColumnRun = 4;
  using Element = typename Format::Element;
  using SlabA = Slab<major_a, BM, BK, Element>;
  using SlabB = Slab<major_b, BN, BK, Element>;
  static constexpr int kHalf = BM / 2;
  struct Shared {
    float sums[kHalf][BN + 4];
  };

  __device__ static int row(int i) { return position<kThreadRows, 1>(thread_row(), i); }
  __device__ static int column(int j) {
    return position<kThreadColumns, kColumnRun>(thread_column(), j);
  }

  __device__ TensorTile() {
#pragma unroll
    for (auto& line : sums_)
#pragma unroll
      for (auto& sum : line) nvcuda::wmma::fill_fragment(sum, 0.0F);
  }

  __device__ void multiply(const SlabA& a, const SlabB& b) {
#pragma unroll
    for (int k = 0; k < BK; k += Format::kDepth) {
      FragmentA rows[kRows];
      FragmentB columns[kColumns];
#pragma unroll
      for (int i = 0; i < kRows; ++i) load(rows[i], a, warp_row() + 16 * i, k);
#pragma unroll
      for (int j = 0; j < kColumns; ++j) load(columns[j], b, warp_column() + 16 * j, k);
#pragma unroll
      for (int i = 0; i < kRows; ++i)
#pragma unroll
        for (int j = 0; j < kColumns; ++j)
          nvcuda::wmma::mma_sync(sums_[i][j], rows[i], columns[j], sums_[i][j]);
    }
  }

  // Half of the rows at a time, those of two warps.
  __device__ void take(float (&sums)[TM][TN], Shared& shared) {
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      __syncthreads();  // the memory held slabs, or the other half
      if (warp_row() / kHalf == half)
#pragma unroll
        for (int i = 0; i < kRows; ++i)
#pragma unroll
          for (int j = 0; j < kColumns; ++j)
            nvcuda::wmma::store_matrix_sync(&shared.sums[16 * i][warp_column() + 16 * j],
                                            sums_[i][j], BN + 4, nvcuda::wmma::mem_row_major);
      __syncthreads();
#pragma unroll
      for (int i = 0; i < TM / 2; ++i)
#pragma unroll
        for (int j = 0; j < TN; j += 4) {
          const float4 v = gpu::load<float4>(&shared.sums[row(i)][column(j)]);
          float* to = &sums[half * (TM / 2) + i][j];
          to[0] = v.x, to[1] = v.y, to[2] = v.z, to[3] = v.w;
        }
    }
  }

 private:
  // Four warps, 2 x 2.
  static constexpr int kWarpRows = BM / 2, kWarpColumns = BN / 2;
  static constexpr int kRows = kWarpRows / 16, kColumns = kWarpColumns / 16;  // pieces of a warp
  static_assert(kWarpRows == kHalf);

  // The names are of the matrices as they are multiplied: a is BM x BK, b is BK x BN.
  template <bool by_row>
  using Layout = std::conditional_t<by_row, nvcuda::wmma::row_major, nvcuda::wmma::col_major>;
  using FragmentA =
      nvcuda::wmma::fragment<nvcuda::wmma::matrix_a, 16, 16, Format::kDepth,
                             typename Format::Operand, Layout<major_a == Major::depth>>;
  using FragmentB =
      nvcuda::wmma::fragment<nvcuda::wmma::matrix_b, 16, 16, Format::kDepth,
                             typename Format::Operand, Layout<major_b == Major::outer>>;
  using Sums = nvcuda::wmma::fragment<nvcuda::wmma::accumulator, 16, 16, Format::kDepth, float>;

  __device__ static int warp() {
    return static_cast<int>(threadIdx.x) / 32;
  }
  __device__ static int warp_row() {
    return warp() / 2 * kWarpRows;
  }
  __device__ static int warp_column() {
    return warp() % 2 * kWarpColumns;
  }

  template <class Fragment, class Slab>
  __device__ static void load(Fragment& to, const Slab& slab, int outer, int k) {
    const auto* from =
        Slab::kMajor == Major::depth ? &slab.values[outer][k] : &slab.values[k][outer];
    nvcuda::wmma::load_matrix_sync(to, from, Slab::kPitch);
    if constexpr (std::is_same_v<Format, Tf32>)
#pragma unroll
      for (int e = 0; e < to.num_elements; ++e) to.x[e] = nvcuda::wmma::__float_to_tf32(to.x[e]);
  }

  Sums sums_[kRows][kColumns];
};

}  // namespace twinage::TWINAGE_GPU_NAMESPACE
