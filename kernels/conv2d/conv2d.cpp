#include "kernels/conv2d/conv2d.h"

#include "kernels/check.h"

namespace twinage {
namespace {

// Everything an operation needs to know before it may write: x, w and y belong together.
void check(const char* operation, Shape y, Index y_ld, Shape x, Index x_ld, ConstView w,
           Conv2d conv) {
  const Shape expected = conv2d_shape(x, w.shape, conv);
  require(y == expected, "[{}] expected y of {} for x = {}, w = {}, got {}", operation, expected, x,
          w.shape, y);
  require(w.contiguous(), "[{}] expected contiguous filters, got a pitch of {} for w = {}",
          operation, w.ld, w.shape);
  require(y_ld >= y.c && x_ld >= x.c,
          "[{}] expected pitches of at least y.c = {}, x.c = {}, got {}, {}", operation, y.c, x.c,
          y_ld, x_ld);
}

}  // namespace

Shape conv2d_shape(Shape x, Shape w, Conv2d conv) {
  require(conv.stride >= 1 && conv.pad_h >= 0 && conv.pad_w >= 0,
          "[conv2d] expected stride >= 1 and padding >= 0, got stride {}, padding {} x {}",
          conv.stride, conv.pad_h, conv.pad_w);
  require(x.n >= 0 && x.h >= 1 && x.w >= 1 && x.c >= 1,
          "[conv2d] expected x with at least one pixel and channel, got x = {}", x);
  require(w.n >= 1 && w.h >= 1 && w.w >= 1 && w.c == x.c,
          "[conv2d] expected w = (K, R, S, {}) for x = {}, got w = {}", x.c, x, w);
  const Index rows = x.h + 2 * conv.pad_h - w.h, columns = x.w + 2 * conv.pad_w - w.w;
  require(
      rows >= 0 && columns >= 0,
      "[conv2d] expected a window within the padded picture, got w = {}, x = {}, padding {} x {}",
      w, x, conv.pad_h, conv.pad_w);
  return {x.n, rows / conv.stride + 1, columns / conv.stride + 1, w.n};
}

Index conv2d_workspace(const Context& ctx, Shape x, Shape w, Conv2d conv) {
  conv2d_shape(x, w, conv);
  require_math(ctx, "conv2d_workspace");
  TWINAGE_DISPATCH_OR_VENDOR(ctx, conv2d_workspace, x, w, conv);
}

void conv2d_forward(const Context& ctx, View y, ConstView x, ConstView w, Conv2d conv,
                    ConvEpilogue epilogue) {
  check("conv2d_forward", y.shape, y.ld, x.shape, x.ld, w, conv);
  require((epilogue.mean == nullptr) == (epilogue.variance == nullptr),
          "[conv2d_forward] expected both mean and variance or neither");
  require_math(ctx, "conv2d_forward");
  TWINAGE_DISPATCH_OR_VENDOR(ctx, conv2d_forward, y, x, w, conv, epilogue);
}

void conv2d_backward_data(const Context& ctx, View dx, ConstView dy, ConstView w, Conv2d conv,
                          Write write) {
  check("conv2d_backward_data", dy.shape, dy.ld, dx.shape, dx.ld, w, conv);
  require_math(ctx, "conv2d_backward_data");
  TWINAGE_DISPATCH_OR_VENDOR(ctx, conv2d_backward_data, dx, dy, w, conv, write);
}

void conv2d_backward_filter(const Context& ctx, View dw, ConstView dy, ConstView x, Conv2d conv,
                            Write write) {
  check("conv2d_backward_filter", dy.shape, dy.ld, x.shape, x.ld, dw, conv);
  require_math(ctx, "conv2d_backward_filter");
  TWINAGE_DISPATCH_OR_VENDOR(ctx, conv2d_backward_filter, dw, dy, x, conv, write);
}

}  // namespace twinage
