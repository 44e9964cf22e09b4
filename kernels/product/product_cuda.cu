#include "kernels/product/product_cuda.h"

namespace twinage::TWINAGE_GPU_NAMESPACE {
namespace {

// Fewer blocks than this leave multiprocessors of a large GPU (an H100 has 132) without work.
constexpr Index kEnoughBlocks = 132;
// A multiprocessor that has several blocks computes in one while another waits for memory.
constexpr Index kGoodBlocks = 4 * kEnoughBlocks;
// A split that is shorter than this costs more to add up than it saves.
constexpr Index kLeastDepth = 256;

constexpr int kSumThreads = 256;

__global__ void __launch_bounds__(kSumThreads)
    add_up(float* out, Index ld, const float* partials, int splits, Index size, int N,
           bool accumulate) {
  const Index step = static_cast<Index>(gridDim.x) * blockDim.x;
  for (Index i = static_cast<Index>(blockIdx.x) * blockDim.x + threadIdx.x; i < size; i += step) {
    float* to = out + i / N * ld + i % N;
    float sum = accumulate ? *to : 0;
    for (int split = 0; split < splits; ++split) sum += partials[split * size + i];
    *to = sum;
  }
}

}  // namespace

ProductPlan plan_product(Math math, Index M, Index N, Index K, bool may_split) {
  ProductPlan plan{};
  plan.M = static_cast<int>(M), plan.N = static_cast<int>(N), plan.K = static_cast<int>(K);
  plan.math = math;
  // How many splits make enough blocks of so many.
  const auto splits = [&](Index blocks) {
    if (!may_split || blocks == 0) return Index{1};
    const Index wanted = ceil_div(kGoodBlocks, blocks), possible = ceil_div(K, kLeastDepth);
    return std::max<Index>(1, std::min(wanted, possible));
  };
  const Index large_blocks = ceil_div(M, 128) * ceil_div(N, 64);
  plan.small = math == Math::fp32 &&
               (N <= 32 || M <= 64 || large_blocks * splits(large_blocks) < kEnoughBlocks);
  const Index BM = plan.rows_of_block(), BN = plan.small ? 32 : 64;
  const Index row_blocks = ceil_div(M, BM), column_blocks = ceil_div(N, BN);
  constexpr Index kSlab = 32;  // the largest BK
  const Index depth = ceil_div(ceil_div(K, splits(row_blocks * column_blocks)), kSlab) * kSlab;
  plan.depth_of_split = static_cast<int>(std::max(depth, kSlab));
  plan.splits = static_cast<int>(std::max<Index>(1, ceil_div(K, plan.depth_of_split)));
  plan.row_blocks = static_cast<int>(row_blocks);
  plan.column_blocks = static_cast<int>(column_blocks);
  return plan;
}

void sum_partials(const Context& ctx, const char* operation, const ProductPlan& plan, float* out,
                  Index ld, const float* partials, bool accumulate) {
  const Index size = Index{plan.M} * plan.N;
  const Index blocks = std::min<Index>(ceil_div(size, kSumThreads), 4096);
  gpu::launch(ctx, operation, add_up, dim3(static_cast<unsigned>(blocks)), dim3(kSumThreads), 0,
              out, ld, partials, plan.splits, size, plan.N, accumulate);
}

}  // namespace twinage::TWINAGE_GPU_NAMESPACE
