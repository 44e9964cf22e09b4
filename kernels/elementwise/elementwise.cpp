#include "kernels/elementwise/elementwise.h"

#include "kernels/check.h"

namespace twinage {

void fill(const Context& ctx, View y, float value) {
  require_view("fill", "y", y);
  TWINAGE_DISPATCH(ctx, fill, y, value);
}

void copy(const Context& ctx, View y, ConstView x) {
  require_view("copy", "x", x);
  require_shape("copy", "y", y, x.shape);
  TWINAGE_DISPATCH(ctx, copy, y, x);
}

void add(const Context& ctx, View y, ConstView x) {
  require_view("add", "y", y);
  require_shape("add", "x", x, y.shape);
  TWINAGE_DISPATCH(ctx, add, y, x);
}

void multiply(const Context& ctx, View y, ConstView a, ConstView b) {
  require_view("multiply", "y", y);
  require_shape("multiply", "a", a, y.shape);
  require_shape("multiply", "b", b, y.shape);
  TWINAGE_DISPATCH(ctx, multiply, y, a, b);
}

void add_bias(const Context& ctx, View y, const float* bias) {
  require_view("add_bias", "y", y);
  TWINAGE_DISPATCH(ctx, add_bias, y, bias);
}

void sum_pixels(const Context& ctx, float* sum, ConstView x) {
  require_view("sum_pixels", "x", x);
  TWINAGE_DISPATCH(ctx, sum_pixels, sum, x);
}

void scale_rows(const Context& ctx, View y, ConstView x, const float* scale) {
  require_view("scale_rows", "x", x);
  require_shape("scale_rows", "y", y, x.shape);
  TWINAGE_DISPATCH(ctx, scale_rows, y, x, scale);
}

void lerp(const Context& ctx, View y, ConstView x, float share) {
  require_view("lerp", "y", y);
  require_shape("lerp", "x", x, y.shape);
  TWINAGE_DISPATCH(ctx, lerp, y, x, share);
}

bool all_finite(const Context& ctx, ConstView x) {
  require_view("all_finite", "x", x);
  TWINAGE_DISPATCH(ctx, all_finite, x);
}

Index all_finite_workspace(const Context& ctx) {
  return ctx.device == Device::cpu ? 0 : workspace_floats(1);  // what the kernel found
}

}  // namespace twinage
