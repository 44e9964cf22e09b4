#include "kernels/conv2d/conv2d.h"

#include "kernels/check.h"

namespace twinage {
namespace {

// Everything an operation needs to know before it may write: x, w and y belong together.
void check(const char* operation, ConstView y, ConstView x, ConstView w, Conv2d conv,
           bool bf16 = false) {
  const Shape expected = conv2d_shape(x.shape, w.shape, conv);
  require(y.shape == expected, "[{}] expected y of {} for x = {}, w = {}, got {}", operation,
          expected, x.shape, w.shape, y.shape);
  require(w.contiguous() && w.element == Element::float32,
          "[{}] expected contiguous filters of float32, got a pitch of {} for w = {}", operation,
          w.ld, w.shape);
  require_view(operation, "y", y, bf16);
  require_view(operation, "x", x, bf16);
}

void check_epilogue(const char* operation, ConstView y, const ConvEpilogue& epilogue) {
  require((epilogue.mean == nullptr) == (epilogue.variance == nullptr),
          "[{}] expected both mean and variance or neither", operation);
  require(epilogue.mean == nullptr || y.element == Element::float32,
          "[{}] expected y in float32 where its statistics are wanted, got bf16", operation);
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
  check("conv2d_forward", y, x, w, conv, takes_bf16_views(ctx));
  check_epilogue("conv2d_forward", y, epilogue);
  require_math(ctx, "conv2d_forward");
  TWINAGE_DISPATCH_OR_VENDOR(ctx, conv2d_forward, y, x, w, conv, epilogue);
}

Index conv2d_packed_floats(const Context& ctx, Shape x, Shape w, Conv2d conv) {
  conv2d_shape(x, w, conv);
  require_math(ctx, "conv2d_packed_floats");
  return ctx.device == Device::cpu ? cpu::conv2d_packed_floats(ctx, x, w, conv) : 0;
}

void conv2d_pack(const Context& ctx, float* packed, Shape x, ConstView w, Conv2d conv) {
  require(ctx.device == Device::cpu, "[conv2d_pack] device {} reads filters as they are",
          to_string(ctx.device));
  require(w.contiguous() && w.element == Element::float32,
          "[conv2d_pack] expected contiguous filters of float32, got a pitch of {} for w = {}",
          w.ld, w.shape);
  conv2d_shape(x, w.shape, conv);
  require_math(ctx, "conv2d_pack");
  cpu::conv2d_pack(ctx, packed, x, w, conv);
}

void conv2d_forward_packed(const Context& ctx, View y, ConstView x, Shape w, const float* packed,
                           Conv2d conv, ConvEpilogue epilogue) {
  require(ctx.device == Device::cpu, "[conv2d_forward_packed] device {} reads filters as they are",
          to_string(ctx.device));
  check("conv2d_forward_packed", y, x, ConstView(packed, w), conv, takes_bf16_views(ctx));
  check_epilogue("conv2d_forward_packed", y, epilogue);
  require_math(ctx, "conv2d_forward_packed");
  cpu::conv2d_forward_packed(ctx, y, x, w, packed, conv, epilogue);
}

void conv2d_backward_data(const Context& ctx, View dx, ConstView dy, ConstView w, Conv2d conv,
                          Write write) {
  check("conv2d_backward_data", dy, dx, w, conv);
  require_math(ctx, "conv2d_backward_data");
  TWINAGE_DISPATCH_OR_VENDOR(ctx, conv2d_backward_data, dx, dy, w, conv, write);
}

void conv2d_backward_filter(const Context& ctx, View dw, ConstView dy, ConstView x, Conv2d conv,
                            Write write) {
  check("conv2d_backward_filter", dy, x, dw, conv);
  require_math(ctx, "conv2d_backward_filter");
  TWINAGE_DISPATCH_OR_VENDOR(ctx, conv2d_backward_filter, dw, dy, x, conv, write);
}

}  // namespace twinage
