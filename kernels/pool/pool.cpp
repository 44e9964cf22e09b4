#include "kernels/pool/pool.h"

#include "kernels/check.h"

namespace twinage {
namespace {

Shape checked_shape(const char* operation, Shape x, Pool pool) {
  require(pool.window >= 1 && pool.stride >= 1,
          "[{}] expected window and stride of at least 1, got {} and {}", operation, pool.window,
          pool.stride);
  // Otherwise a window could lie in the padding alone and would have no maximum.
  require(pool.pad >= 0 && 2 * pool.pad <= pool.window,
          "[{}] expected padding of at most half the window {}, got {}", operation, pool.window,
          pool.pad);
  require(x.h + 2 * pool.pad >= pool.window && x.w + 2 * pool.pad >= pool.window,
          "[{}] expected a picture of at least the window {} (padding {}), got {}", operation,
          pool.window, pool.pad, x);
  const auto extent = [&](Index size) {
    return (size + 2 * pool.pad - pool.window) / pool.stride + 1;
  };
  return {x.n, extent(x.h), extent(x.w), x.c};
}

}  // namespace

Shape pool_shape(Shape x, Pool pool) {
  return checked_shape("pool", x, pool);
}

void max_pool_forward(const Context& ctx, View y, ConstView x, Pool pool) {
  require_view("max_pool_forward", "x", x);
  require_shape("max_pool_forward", "y", y, checked_shape("max_pool_forward", x.shape, pool));
  if (ctx.device == Device::cpu) return cpu::max_pool_forward(ctx, y, x, pool);
  fail_no_kernel("max_pool_forward", ctx.device);
}

void max_pool_backward(const Context& ctx, View dx, ConstView dy, ConstView x, ConstView y,
                       Pool pool, Write write) {
  require_view("max_pool_backward", "x", x);
  require_shape("max_pool_backward", "dx", dx, x.shape);
  const Shape out = checked_shape("max_pool_backward", x.shape, pool);
  require_shape("max_pool_backward", "y", y, out);
  require_shape("max_pool_backward", "dy", dy, out);
  if (ctx.device == Device::cpu) return cpu::max_pool_backward(ctx, dx, dy, x, y, pool, write);
  fail_no_kernel("max_pool_backward", ctx.device);
}

void average_pool_forward(const Context& ctx, View y, ConstView x, Pool pool) {
  require_view("average_pool_forward", "x", x);
  require_shape("average_pool_forward", "y", y,
                checked_shape("average_pool_forward", x.shape, pool));
  if (ctx.device == Device::cpu) return cpu::average_pool_forward(ctx, y, x, pool);
  fail_no_kernel("average_pool_forward", ctx.device);
}

void average_pool_backward(const Context& ctx, View dx, ConstView dy, Pool pool, Write write) {
  require_view("average_pool_backward", "dx", dx);
  require_shape("average_pool_backward", "dy", dy,
                checked_shape("average_pool_backward", dx.shape, pool));
  if (ctx.device == Device::cpu) return cpu::average_pool_backward(ctx, dx, dy, pool, write);
  fail_no_kernel("average_pool_backward", ctx.device);
}

void global_average_pool_forward(const Context& ctx, View y, ConstView x) {
  require_view("global_average_pool_forward", "x", x);
  require_shape("global_average_pool_forward", "y", y, {x.shape.n, 1, 1, x.shape.c});
  if (ctx.device == Device::cpu) return cpu::global_average_pool_forward(ctx, y, x);
  fail_no_kernel("global_average_pool_forward", ctx.device);
}

void global_average_pool_backward(const Context& ctx, View dx, ConstView dy, Write write) {
  require_view("global_average_pool_backward", "dx", dx);
  require_shape("global_average_pool_backward", "dy", dy, {dx.shape.n, 1, 1, dx.shape.c});
  if (ctx.device == Device::cpu) return cpu::global_average_pool_backward(ctx, dx, dy, write);
  fail_no_kernel("global_average_pool_backward", ctx.device);
}

}  // namespace twinage
