#include "kernels/distance/distance.h"

#include "core/device_memory.h"
#include "kernels/check.h"

namespace twinage {
namespace {

void require_matrix(const char* operation, const char* name, ConstView m) {
  require_view(operation, name, m);
  require(m.shape.h == 1 && m.shape.w == 1, "[{}] expected {} of shape (rows, 1, 1, width), got {}",
          operation, name, m.shape);
}

void require_pairs(const Context& ctx, const char* operation, ConstView z,
                   std::span<const IndexPair> pairs) {
  require_matrix(operation, "z", z);
  if (!host_readable(ctx.device)) return;
  const auto row = [&](std::int32_t i) { return i >= 0 && i < z.shape.n; };
  for (const IndexPair& pair : pairs)
    require(row(pair.a) && row(pair.b) && pair.a != pair.b,
            "[{}] expected pairs of two different rows below {}, got ({}, {})", operation,
            z.shape.n, pair.a, pair.b);
}

}  // namespace

void distance_pairs_forward(const Context& ctx, float* d, ConstView z,
                            std::span<const IndexPair> pairs) {
  require_pairs(ctx, "distance_pairs_forward", z, pairs);
  TWINAGE_DISPATCH(ctx, distance_pairs_forward, d, z, pairs);
}

void distance_pairs_backward(const Context& ctx, View dz, ConstView z,
                             std::span<const IndexPair> pairs, const float* d, const float* dd) {
  require_pairs(ctx, "distance_pairs_backward", z, pairs);
  require_shape("distance_pairs_backward", "dz", dz, z.shape);
  TWINAGE_DISPATCH(ctx, distance_pairs_backward, dz, z, pairs, d, dd);
}

void distance_matrix(const Context& ctx, View d, ConstView a, ConstView b) {
  require_matrix("distance_matrix", "a", a);
  require_matrix("distance_matrix", "b", b);
  require(a.shape.c == b.shape.c, "[distance_matrix] expected a and b of one width, got {} and {}",
          a.shape, b.shape);
  // An empty gallery leaves nothing to write; a view of no columns would have no shape to check.
  if (a.shape.n == 0 || b.shape.n == 0) return;
  require_shape("distance_matrix", "d", d, matrix(a.shape.n, b.shape.n));
  TWINAGE_DISPATCH(ctx, distance_matrix, d, a, b);
}

}  // namespace twinage
