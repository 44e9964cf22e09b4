// Matrix product, row-major with a pitch: views of shape matrix(rows, columns).
//
//   c[i,j] = sum over l of a[i,l] * b[l,j]        (+ c before, with Write::accumulate)
//
// where a or b may be stored transposed.  FLOPs: 2*M*N*K.  Error bound: K * 2^-24 * sum |a*b|; on
// tensor cores (ctx.math, devices cuda and simt only) another 2^-10 (tf32) or 2^-7 (bf16) times
// sum |a*b|, because both operands are rounded, by 2^-11 or 2^-8 of themselves at most.
// Throws Error on shapes that do not fit, before writing anything.
#pragma once
#include "core/context.h"
#include "core/view.h"

namespace twinage {

enum class Transpose { no, yes };  // yes: the matrix is stored as its transpose

Index matmul_workspace(const Context& ctx, Index M, Index N, Index K);  // floats, any transposes

void matmul(const Context& ctx, View c, ConstView a, Transpose transpose_a, ConstView b,
            Transpose transpose_b, Write write = Write::overwrite);

// The same signatures: the definition in plain loops with double accumulators (naive), the fast
// code of the CPU (cpu), the CUDA kernels on a GPU (cuda) and run by the host (simt), and NVIDIA's
// library (vendor, when ctx.vendor asks for it).
#define TWINAGE_MATMUL_BACKEND                                                             \
  void matmul(const Context& ctx, View c, ConstView a, Transpose transpose_a, ConstView b, \
              Transpose transpose_b, Write write);                                         \
  Index matmul_workspace(const Context& ctx, Index M, Index N, Index K);

namespace naive {
void matmul(const Context& ctx, View c, ConstView a, Transpose transpose_a, ConstView b,
            Transpose transpose_b, Write write);
}
namespace cpu {
TWINAGE_MATMUL_BACKEND
}  // namespace cpu
namespace cuda {
TWINAGE_MATMUL_BACKEND
}  // namespace cuda
namespace simt {
TWINAGE_MATMUL_BACKEND
}  // namespace simt
namespace vendor {
TWINAGE_MATMUL_BACKEND
}  // namespace vendor
#undef TWINAGE_MATMUL_BACKEND

}  // namespace twinage
