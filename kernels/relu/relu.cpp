#include "kernels/relu/relu.h"

#include "kernels/check.h"

namespace twinage {

void relu_backward(const Context& ctx, View du, ConstView dy, ConstView y) {
  require_view("relu_backward", "y", y);
  require_shape("relu_backward", "dy", dy, y.shape);
  require_shape("relu_backward", "du", du, y.shape);
  TWINAGE_DISPATCH(ctx, relu_backward, du, dy, y);
}

}  // namespace twinage
