#include "kernels/distance/distance.h"

#include "kernels/check.h"

namespace twinage {
namespace {

void require_matrix(const char* operation, const char* name, ConstView m) {
  require_view(operation, name, m);
  require(m.shape.h == 1 && m.shape.w == 1, "[{}] expected {} of shape (rows, 1, 1, width), got {}",
          operation, name, m.shape);
}

void require_pairs(const char* operation, ConstView z, std::span<const IndexPair> pairs) {
  require_matrix(operation, "z", z);
  const auto row = [&](std::int32_t i) { return i >= 0 && i < z.shape.n; };
  for (const IndexPair& pair : pairs)
    require(row(pair.a) && row(pair.b) && pair.a != pair.b,
            "[{}] expected pairs of two different rows below {}, got ({}, {})", operation,
            z.shape.n, pair.a, pair.b);
}

}  // namespace

void distance_pairs_forward(const Context& ctx, float* d, ConstView z,
                            std::span<const IndexPair> pairs) {
  require_pairs("distance_pairs_forward", z, pairs);
  if (ctx.device == Device::cpu) return cpu::distance_pairs_forward(ctx, d, z, pairs);
  fail_no_kernel("distance_pairs_forward", ctx.device);
}

void distance_pairs_backward(const Context& ctx, View dz, ConstView z,
                             std::span<const IndexPair> pairs, const float* d, const float* dd) {
  require_pairs("distance_pairs_backward", z, pairs);
  require_shape("distance_pairs_backward", "dz", dz, z.shape);
  if (ctx.device == Device::cpu) return cpu::distance_pairs_backward(ctx, dz, z, pairs, d, dd);
  fail_no_kernel("distance_pairs_backward", ctx.device);
}

void distance_matrix(const Context& ctx, View d, ConstView a, ConstView b) {
  require_matrix("distance_matrix", "a", a);
  require_matrix("distance_matrix", "b", b);
  require(a.shape.c == b.shape.c, "[distance_matrix] expected a and b of one width, got {} and {}",
          a.shape, b.shape);
  // An empty gallery leaves nothing to write; a view of no columns would have no shape to check.
  if (a.shape.n == 0 || b.shape.n == 0) return;
  require_shape("distance_matrix", "d", d, matrix(a.shape.n, b.shape.n));
  if (ctx.device == Device::cpu) return cpu::distance_matrix(ctx, d, a, b);
  fail_no_kernel("distance_matrix", ctx.device);
}

}  // namespace twinage
