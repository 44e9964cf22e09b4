#include "kernels/elementwise/elementwise.h"

#include "kernels/check.h"

namespace twinage {

void fill(const Context& ctx, View y, float value) {
  require_view("fill", "y", y);
  if (ctx.device == Device::cpu) return cpu::fill(ctx, y, value);
  fail_no_kernel("fill", ctx.device);
}

void copy(const Context& ctx, View y, ConstView x) {
  require_view("copy", "x", x);
  require_shape("copy", "y", y, x.shape);
  if (ctx.device == Device::cpu) return cpu::copy(ctx, y, x);
  fail_no_kernel("copy", ctx.device);
}

void add(const Context& ctx, View y, ConstView x) {
  require_view("add", "y", y);
  require_shape("add", "x", x, y.shape);
  if (ctx.device == Device::cpu) return cpu::add(ctx, y, x);
  fail_no_kernel("add", ctx.device);
}

void add_bias(const Context& ctx, View y, const float* bias) {
  require_view("add_bias", "y", y);
  if (ctx.device == Device::cpu) return cpu::add_bias(ctx, y, bias);
  fail_no_kernel("add_bias", ctx.device);
}

void sum_pixels(const Context& ctx, float* sum, ConstView x) {
  require_view("sum_pixels", "x", x);
  if (ctx.device == Device::cpu) return cpu::sum_pixels(ctx, sum, x);
  fail_no_kernel("sum_pixels", ctx.device);
}

void scale_rows(const Context& ctx, View y, ConstView x, const float* scale) {
  require_view("scale_rows", "x", x);
  require_shape("scale_rows", "y", y, x.shape);
  if (ctx.device == Device::cpu) return cpu::scale_rows(ctx, y, x, scale);
  fail_no_kernel("scale_rows", ctx.device);
}

bool all_finite(const Context& ctx, ConstView x) {
  require_view("all_finite", "x", x);
  if (ctx.device == Device::cpu) return cpu::all_finite(ctx, x);
  fail_no_kernel("all_finite", ctx.device);
}

}  // namespace twinage
