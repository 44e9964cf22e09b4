// Pooling over windows, as torchvision's Inception v3 uses it.
//
//   max      y[n,p,q,c] = max of the window; padding never wins (none is used)
//   average  y[n,p,q,c] = (sum of the window, zeros outside the picture) / (window * window)
//            (count_include_pad, PyTorch's default)
//   global   y[n,0,0,c] = mean over all H*W pixels
//
// Views may be channel slices; outputs may not overlap inputs. Throws Error on shapes that do not
// fit, before writing anything. A maximum may or may not see a NaN of its window.
//
// The forward passes on the CPU in bf16 take bf16 views (core/view.h) in the place of x, of y or of
// both. The result is that of the same numbers in float32, rounded if y is bf16.
#pragma once
#include "core/context.h"
#include "core/view.h"
#include "kernels/backends.h"

namespace twinage {

struct Pool {
  Index window = 3, stride = 1, pad = 0;
};

Shape pool_shape(Shape x, Pool pool);  // of y; throws Error

void max_pool_forward(const Context& ctx, View y, ConstView x, Pool pool);
// The gradient goes to the first (row-major) maximum of each window, as PyTorch's. Reads x and y.
void max_pool_backward(const Context& ctx, View dx, ConstView dy, ConstView x, ConstView y,
                       Pool pool, Write write = Write::overwrite);

void average_pool_forward(const Context& ctx, View y, ConstView x, Pool pool);
void average_pool_backward(const Context& ctx, View dx, ConstView dy, Pool pool,
                           Write write = Write::overwrite);

void global_average_pool_forward(const Context& ctx, View y, ConstView x);  // y (N,1,1,C)
void global_average_pool_backward(const Context& ctx, View dx, ConstView dy,
                                  Write write = Write::overwrite);

TWINAGE_BACKENDS(max_pool_forward)
TWINAGE_BACKENDS(max_pool_backward)
TWINAGE_BACKENDS(average_pool_forward)
TWINAGE_BACKENDS(average_pool_backward)
TWINAGE_BACKENDS(global_average_pool_forward)
TWINAGE_BACKENDS(global_average_pool_backward)

}  // namespace twinage
