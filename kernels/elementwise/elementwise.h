// The few element-wise operations that no other kernel absorbs. Views may be channel slices.
#pragma once
#include "core/context.h"
#include "core/view.h"

namespace twinage {

void fill(const Context& ctx, View y, float value);
void copy(const Context& ctx, View y, ConstView x);
void add(const Context& ctx, View y, ConstView x);                     // y += x
void add_bias(const Context& ctx, View y, const float* bias);          // y[.., c] += bias[c]
void sum_pixels(const Context& ctx, float* sum, ConstView x);          // sum[c] += sum over pixels
void scale_rows(const Context& ctx, View y, ConstView x, const float* scale);  // y[n,..] = x[n,..] * scale[n]
bool all_finite(const Context& ctx, ConstView x);                      // no NaN, no infinity

}  // namespace twinage
