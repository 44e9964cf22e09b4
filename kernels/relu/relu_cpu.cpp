// Waits for memory: the compiler's vectors of the baseline are as fast as that.
#include <algorithm>

#include "core/parallel.h"
#include "kernels/relu/relu.h"

namespace twinage::cpu {
namespace {

constexpr Index kTaskFloats = 32768;

}  // namespace

void relu_backward(const Context& ctx, View du, ConstView dy, ConstView y) {
  const Index pixels = y.shape.pixels(), channels = y.shape.c;
  const Index step = ceil_div(kTaskFloats, channels);
  parallel_for(ctx.threads, ceil_div(pixels, step), [&](Index task, int) {
    const Index end = std::min(pixels, (task + 1) * step);
    for (Index p = task * step; p < end; ++p) {
      float* to = du.pixel(p);
      const float *gradient = dy.pixel(p), *value = y.pixel(p);
      for (Index c = 0; c < channels; ++c) {
        const float g = gradient[c];  // read whatever the value is: no branch, and so vectors
        to[c] = value[c] <= 0 ? 0 : g;
      }
    }
  });
}

}  // namespace twinage::cpu
