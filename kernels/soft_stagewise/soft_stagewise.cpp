#include "kernels/soft_stagewise/soft_stagewise.h"

#include "kernels/check.h"

namespace twinage {

void soft_stagewise_forward(const Context& ctx, View y, ConstView x, float range) {
  require_shape("soft_stagewise_forward", "x", x, matrix(x.shape.n, kStageNumbers));
  require_shape("soft_stagewise_forward", "y", y, matrix(x.shape.n, 1));
  TWINAGE_DISPATCH(ctx, soft_stagewise_forward, y, x, range);
}

void soft_stagewise_backward(const Context& ctx, View dx, ConstView dy, ConstView x, float range,
                             Write write) {
  constexpr const char* kName = "soft_stagewise_backward";
  require_shape(kName, "x", x, matrix(x.shape.n, kStageNumbers));
  require_shape(kName, "dy", dy, matrix(x.shape.n, 1));
  require_shape(kName, "dx", dx, x.shape);
  require(dx.data != x.data || x.shape.n == 0, "[{}] expected dx in memory of its own", kName);
  TWINAGE_DISPATCH(ctx, soft_stagewise_backward, dx, dy, x, range, write);
}

}  // namespace twinage
