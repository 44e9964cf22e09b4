#include "kernels/tanh/tanh.h"

#include "kernels/check.h"

namespace twinage {

void tanh_forward(const Context& ctx, View y, ConstView x) {
  require_view("tanh_forward", "x", x);
  require_shape("tanh_forward", "y", y, x.shape);
  TWINAGE_DISPATCH(ctx, tanh_forward, y, x);
}

void tanh_backward(const Context& ctx, View dx, ConstView dy, ConstView y) {
  require_view("tanh_backward", "y", y);
  require_shape("tanh_backward", "dy", dy, y.shape);
  require_shape("tanh_backward", "dx", dx, y.shape);
  TWINAGE_DISPATCH(ctx, tanh_backward, dx, dy, y);
}

}  // namespace twinage
