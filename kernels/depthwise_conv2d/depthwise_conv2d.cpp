#include "kernels/depthwise_conv2d/depthwise_conv2d.h"

#include "kernels/check.h"

namespace twinage {
namespace {

void check(const char* operation, ConstView y, ConstView x, ConstView w, Conv2d conv) {
  require_shape(operation, "y", y, depthwise_conv2d_shape(x.shape, w.shape, conv));
  require_view(operation, "x", x);
  require(w.contiguous(), "[{}] expected contiguous filters, got a pitch of {} for w = {}",
          operation, w.ld, w.shape);
}

}  // namespace

Shape depthwise_conv2d_shape(Shape x, Shape w, Conv2d conv) {
  require(w.n == x.c && w.c == 1,
          "[depthwise_conv2d] expected w = ({}, R, S, 1) for x = {}, got w = {}", x.c, x, w);
  return conv2d_shape(x, {w.n, w.h, w.w, x.c}, conv);
}

Index depthwise_conv2d_workspace(const Context& ctx, Shape x, Shape w, Conv2d conv) {
  depthwise_conv2d_shape(x, w, conv);
  TWINAGE_DISPATCH(ctx, depthwise_conv2d_workspace, x, w, conv);
}

void depthwise_conv2d_forward(const Context& ctx, View y, ConstView x, ConstView w, Conv2d conv,
                              ConvEpilogue epilogue) {
  check("depthwise_conv2d_forward", y, x, w, conv);
  require(epilogue.mean == nullptr && epilogue.variance == nullptr,
          "[depthwise_conv2d_forward] expected an epilogue without statistics: "
          "batch_norm_statistics forms them");
  TWINAGE_DISPATCH(ctx, depthwise_conv2d_forward, y, x, w, conv, epilogue);
}

void depthwise_conv2d_backward_data(const Context& ctx, View dx, ConstView dy, ConstView w,
                                    Conv2d conv, Write write) {
  check("depthwise_conv2d_backward_data", dy, dx, w, conv);
  TWINAGE_DISPATCH(ctx, depthwise_conv2d_backward_data, dx, dy, w, conv, write);
}

void depthwise_conv2d_backward_filter(const Context& ctx, View dw, ConstView dy, ConstView x,
                                      Conv2d conv, Write write) {
  check("depthwise_conv2d_backward_filter", dy, x, dw, conv);
  TWINAGE_DISPATCH(ctx, depthwise_conv2d_backward_filter, dw, dy, x, conv, write);
}

}  // namespace twinage
