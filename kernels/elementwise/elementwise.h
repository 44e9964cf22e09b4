// The few element-wise operations that no other kernel absorbs. Views may be channel slices.
#pragma once
#include "core/context.h"
#include "core/view.h"
#include "kernels/backends.h"

namespace twinage {

void fill(const Context& ctx, View y, float value);
void copy(const Context& ctx, View y, ConstView x);
void add(const Context& ctx, View y, ConstView x);                    // y += x
void multiply(const Context& ctx, View y, ConstView a, ConstView b);  // y = a * b; y may be either
void add_bias(const Context& ctx, View y, const float* bias);         // y[.., c] += bias[c]
void sum_pixels(const Context& ctx, float* sum, ConstView x);         // sum[c] += sum over pixels
void scale_rows(const Context& ctx, View y, ConstView x,
                const float* scale);  // y[n,..] = x[n,..] * scale[n]; y may be x
void lerp(const Context& ctx, View y, ConstView x, float share);  // y += share * (x - y)
// No NaN, no infinity. Waits for the device.
bool all_finite(const Context& ctx, ConstView x);
Index all_finite_workspace(const Context& ctx);  // floats; 0 on cpu

TWINAGE_BACKENDS(fill)
TWINAGE_BACKENDS(copy)
TWINAGE_BACKENDS(add)
TWINAGE_BACKENDS(multiply)
TWINAGE_BACKENDS(add_bias)
TWINAGE_BACKENDS(sum_pixels)
TWINAGE_BACKENDS(scale_rows)
TWINAGE_BACKENDS(lerp)
TWINAGE_BACKENDS(all_finite)

}  // namespace twinage
