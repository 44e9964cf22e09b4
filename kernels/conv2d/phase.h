// Backward data is a correlation of dy with the flipped filters. With a stride it falls apart into
// one for each remainder of x's row and column by the stride (a phase): all pixels of a phase are
// reached by the same taps. The same for the CPU and the GPU.
#pragma once
#include <algorithm>

#include "core/shape.h"

namespace twinage {

// The taps that reach the inputs i * stride + phase along one axis. They are `count` taps
//   last, last - stride, ...
// and the first of them stands at output i - before.
struct PhaseAxis {
  Index size = 0;  // inputs
  Index count = 0, last = 0, before = 0;
};

inline PhaseAxis phase_axis(Index inputs, Index taps, Index stride, Index pad, Index phase) {
  PhaseAxis axis;
  axis.size = inputs > phase ? ceil_div(inputs - phase, stride) : 0;
  // Tap r reaches input h from output p where p * stride = h + pad - r.
  const Index r0 = (phase + pad) % stride;
  if (r0 >= taps) return axis;
  axis.count = ceil_div(taps - r0, stride);
  axis.last = r0 + (axis.count - 1) * stride;
  axis.before = (axis.last - phase - pad) / stride;
  return axis;
}

}  // namespace twinage
