// The few element-wise operations that no other kernel absorbs. Views may be channel slices.
#pragma once
#include "core/context.h"
#include "core/view.h"

namespace twinage {

void fill(const Context& ctx, View y, float value);
void copy(const Context& ctx, View y, ConstView x);
void add(const Context& ctx, View y, ConstView x);             // y += x
void add_bias(const Context& ctx, View y, const float* bias);  // y[.., c] += bias[c]
void sum_pixels(const Context& ctx, float* sum, ConstView x);  // sum[c] += sum over pixels
void scale_rows(const Context& ctx, View y, ConstView x,
                const float* scale);  // y[n,..] = x[n,..] * scale[n]; y may be x
// No NaN, no infinity. Waits for the device.
bool all_finite(const Context& ctx, ConstView x);
Index all_finite_workspace(const Context& ctx);  // floats; 0 on cpu

// The same signatures: the definition in plain loops with double accumulators (naive), the
// fast code of the CPU (cpu), and the CUDA kernels on a GPU (cuda) and run by the host (simt).
#define TWINAGE_ELEMENTWISE_BACKEND                                             \
  void fill(const Context& ctx, View y, float value);                           \
  void copy(const Context& ctx, View y, ConstView x);                           \
  void add(const Context& ctx, View y, ConstView x);                            \
  void add_bias(const Context& ctx, View y, const float* bias);                 \
  void sum_pixels(const Context& ctx, float* sum, ConstView x);                 \
  void scale_rows(const Context& ctx, View y, ConstView x, const float* scale); \
  bool all_finite(const Context& ctx, ConstView x);

namespace naive {
TWINAGE_ELEMENTWISE_BACKEND
}
namespace cpu {
TWINAGE_ELEMENTWISE_BACKEND
}
namespace cuda {
TWINAGE_ELEMENTWISE_BACKEND
}
namespace simt {
TWINAGE_ELEMENTWISE_BACKEND
}
#undef TWINAGE_ELEMENTWISE_BACKEND

}  // namespace twinage
