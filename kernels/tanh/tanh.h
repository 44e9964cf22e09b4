// Hyperbolic tangent, element by element, and its gradient:
//
//   y = tanh(x),   dx = dy * (1 - y^2)
//
// Error bound of y: 8 * 2^-24 * |y| on every device (on the CPU a quotient of polynomials in x that
// is exact to a few units in the last place; at |x| >= 7.91 it is 1 within that). NaN stays NaN.
#pragma once
#include "core/context.h"
#include "core/view.h"
#include "kernels/backends.h"

namespace twinage {

// All of one shape; y may be x, dx may be dy. Throws Error on shapes that do not fit, before
// writing anything.
void tanh_forward(const Context& ctx, View y, ConstView x);
void tanh_backward(const Context& ctx, View dx, ConstView dy, ConstView y);

TWINAGE_BACKENDS(tanh_forward)
TWINAGE_BACKENDS(tanh_backward)

}  // namespace twinage
