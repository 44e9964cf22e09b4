// One small kernel for every part of CUDA that the runner imitates.
#pragma once
#include <cstdint>

#include "core/context.h"

namespace twinage::test {

// Thread i of a warp of 32: out[i * kShuffles + s] is the result of the s-th exchange of the value
// 100 + i; see the kernel.
inline constexpr int kShuffles = 7;
void shuffles(const Context& ctx, int* out);

// out[i * 4 + ...]: ballot, any, all of "lane is a multiple of 3"; ballot among the odd lanes.
void votes(const Context& ctx, std::uint32_t* out);

// One block of (4, 3, 2) in each place of a grid of (2, 3, 2): out[global thread], in the order in
// which CUDA numbers them, is that number as computed from all built-in variables.
void indices(const Context& ctx, int* out);

// Each block reverses its `threads` floats in dynamic shared memory, after a second array.
void reverse_blocks(const Context& ctx, float* y, const float* x, unsigned blocks,
                    unsigned threads);

// histogram[v % bins] counts, largest[0] is the maximum of the values.
void histogram(const Context& ctx, int* counts, int* largest, const int* values, int count,
               int bins);

// y = 2 x by float4; y and x on 16 bytes, count a multiple of 4.
void double_by_vectors(const Context& ctx, float* y, const float* x, int count);

// c[M][N] = a[M][K] b[K][N], all dense; M and N multiples of 16, K of 16.
void multiply_tf32(const Context& ctx, float* c, const float* a, const float* b, int M, int N,
                   int K);
void multiply_bf16(const Context& ctx, float* c, const float* a, const float* b, int M, int N,
                   int K);

// Sums of 64 consecutive floats, loaded by asynchronous copies through two buffers; the last sum is
// of what is left of `count` (the copies fill up with zeros).
void sums_by_copies(const Context& ctx, float* sums, const float* x, int count);

// A block of more than 1024 threads, a grid of no blocks, too much shared memory of either kind.
enum class Refused { block, grid, dynamic_shared, fixed_shared, bounds };
void refused_launch(const Context& ctx, Refused what);

}  // namespace twinage::test
