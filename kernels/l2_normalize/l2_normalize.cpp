#include "kernels/l2_normalize/l2_normalize.h"

#include "kernels/check.h"

namespace twinage {
namespace {

void check(ConstView x, float radius) {
  require_view("l2_normalize", "x", x);
  require(x.shape == matrix(x.shape.n, x.shape.c),
          "[l2_normalize] expected x of shape (rows, 1, 1, width), got {}", x.shape);
  require(radius > 0, "[l2_normalize] expected a radius above 0, got {}", radius);
}

}  // namespace

void l2_normalize_forward(const Context& ctx, View y, ConstView x, float radius) {
  check(x, radius);
  require_shape("l2_normalize", "y", y, x.shape);
  TWINAGE_DISPATCH(ctx, l2_normalize_forward, y, x, radius);
}

void l2_normalize_backward(const Context& ctx, View dx, ConstView dy, ConstView x, float radius,
                           Write write) {
  check(x, radius);
  require_shape("l2_normalize", "dx", dx, x.shape);
  require_shape("l2_normalize", "dy", dy, x.shape);
  TWINAGE_DISPATCH(ctx, l2_normalize_backward, dx, dy, x, radius, write);
}

}  // namespace twinage
