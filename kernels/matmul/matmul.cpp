#include "kernels/matmul/matmul.h"

#include "kernels/check.h"

namespace twinage {
namespace {

bool is_matrix(ConstView m) {
  return m.shape.h == 1 && m.shape.w == 1 && m.ld >= m.shape.c && m.element == Element::float32;
}

}  // namespace

Index matmul_workspace(const Context& ctx, Index M, Index N, Index K) {
  require(M >= 0 && N >= 0 && K >= 0, "[matmul] expected M, N, K >= 0, got {}, {}, {}", M, N, K);
  require_math(ctx, "matmul_workspace");
  TWINAGE_DISPATCH_OR_VENDOR(ctx, matmul_workspace, M, N, K);
}

void matmul(const Context& ctx, View c, ConstView a, Transpose transpose_a, ConstView b,
            Transpose transpose_b, Write write) {
  require(
      is_matrix(c) && is_matrix(a) && is_matrix(b),
      "[matmul] expected matrices (rows, 1, 1, columns) of float32 with a pitch of at least their "
      "columns, got c = {}, a = {}, b = {}",
      c.shape, a.shape, b.shape);
  const bool ta = transpose_a == Transpose::yes, tb = transpose_b == Transpose::yes;
  const Index M = ta ? a.shape.c : a.shape.n, K = ta ? a.shape.n : a.shape.c;
  const Index b_rows = tb ? b.shape.c : b.shape.n, N = tb ? b.shape.n : b.shape.c;
  require(b_rows == K, "[matmul] expected {} rows of b for a = {}, got {} (b = {})", K, a.shape,
          b_rows, b.shape);
  require(c.shape == matrix(M, N), "[matmul] expected c = {}, got {}", matrix(M, N), c.shape);
  require_math(ctx, "matmul");
  TWINAGE_DISPATCH_OR_VENDOR(ctx, matmul, c, a, transpose_a, b, transpose_b, write);
}

}  // namespace twinage
