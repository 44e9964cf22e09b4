// Rows scaled to one length: y[n] = radius * x[n] / ||x[n]||, of matrices (rows, width).
//
//   backward   dx = radius / ||x|| * (dy - (dy . u) u),   u = x / ||x||
//
// Only the direction of x counts, so dx is perpendicular to it. A row of zeros has no direction:
// its y and its dx are 0.
#pragma once
#include "core/context.h"
#include "core/view.h"
#include "kernels/backends.h"

namespace twinage {

// y may be x. radius > 0, else throws Error.
void l2_normalize_forward(const Context& ctx, View y, ConstView x, float radius);
// dx = or += the gradient; x as in forward.
void l2_normalize_backward(const Context& ctx, View dx, ConstView dy, ConstView x, float radius,
                           Write write);

TWINAGE_BACKENDS(l2_normalize_forward)
TWINAGE_BACKENDS(l2_normalize_backward)

}  // namespace twinage
