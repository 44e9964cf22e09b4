// Matrix product, row-major with a pitch: views of shape matrix(rows, columns).
//
//   c[i,j] = sum over l of a[i,l] * b[l,j]        (+ c before, with Write::accumulate)
//
// where a or b may be stored transposed.  FLOPs: 2*M*N*K.  Error bound: K * 2^-24 * sum |a*b|; with
// ctx.math tf32 (devices cuda and simt only) another 2^-10, with bf16 another 2^-7 times sum |a*b|,
// because both operands are rounded, by 2^-11 or 2^-8 of themselves at most.
// Throws Error on shapes that do not fit, before writing anything.
#pragma once
#include "core/context.h"
#include "core/view.h"
#include "kernels/backends.h"

namespace twinage {

enum class Transpose { no, yes };  // yes: the matrix is stored as its transpose

Index matmul_workspace(const Context& ctx, Index M, Index N, Index K);  // floats, any transposes

void matmul(const Context& ctx, View c, ConstView a, Transpose transpose_a, ConstView b,
            Transpose transpose_b, Write write = Write::overwrite);

TWINAGE_BACKENDS(matmul)
TWINAGE_DEVICE_BACKENDS(matmul_workspace)
TWINAGE_BACKEND(vendor, matmul)
TWINAGE_BACKEND(vendor, matmul_workspace)

}  // namespace twinage
