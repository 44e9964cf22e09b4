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

// Of a forward pass, whose views may be of bf16 where pool.h says.
void require_views(const char* operation, const Context& ctx, ConstView y, ConstView x,
                   Shape expected) {
  require_view(operation, "x", x, takes_bf16_views(ctx));
  require_shape(operation, "y", y, expected, takes_bf16_views(ctx));
}

}  // namespace

Shape pool_shape(Shape x, Pool pool) {
  return checked_shape("pool", x, pool);
}

void max_pool_forward(const Context& ctx, View y, ConstView x, Pool pool) {
  require_views("max_pool_forward", ctx, y, x, checked_shape("max_pool_forward", x.shape, pool));
  TWINAGE_DISPATCH(ctx, max_pool_forward, y, x, pool);
}

void max_pool_backward(const Context& ctx, View dx, ConstView dy, ConstView x, ConstView y,
                       Pool pool, Write write) {
  require_view("max_pool_backward", "x", x);
  require_shape("max_pool_backward", "dx", dx, x.shape);
  const Shape out = checked_shape("max_pool_backward", x.shape, pool);
  require_shape("max_pool_backward", "y", y, out);
  require_shape("max_pool_backward", "dy", dy, out);
  TWINAGE_DISPATCH(ctx, max_pool_backward, dx, dy, x, y, pool, write);
}

void average_pool_forward(const Context& ctx, View y, ConstView x, Pool pool) {
  require_views("average_pool_forward", ctx, y, x,
                checked_shape("average_pool_forward", x.shape, pool));
  TWINAGE_DISPATCH(ctx, average_pool_forward, y, x, pool);
}

void average_pool_backward(const Context& ctx, View dx, ConstView dy, Pool pool, Write write) {
  require_view("average_pool_backward", "dx", dx);
  require_shape("average_pool_backward", "dy", dy,
                checked_shape("average_pool_backward", dx.shape, pool));
  TWINAGE_DISPATCH(ctx, average_pool_backward, dx, dy, pool, write);
}

void global_average_pool_forward(const Context& ctx, View y, ConstView x) {
  require_views("global_average_pool_forward", ctx, y, x, {x.shape.n, 1, 1, x.shape.c});
  TWINAGE_DISPATCH(ctx, global_average_pool_forward, y, x);
}

void global_average_pool_backward(const Context& ctx, View dx, ConstView dy, Write write) {
  require_view("global_average_pool_backward", "dx", dx);
  require_shape("global_average_pool_backward", "dy", dy, {dx.shape.n, 1, 1, dx.shape.c});
  TWINAGE_DISPATCH(ctx, global_average_pool_backward, dx, dy, write);
}

}  // namespace twinage
