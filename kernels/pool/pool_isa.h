// The arithmetic of pool_cpu.cpp over one window, vectors along the channels; one copy for each
// instruction set.
#pragma once
#include "core/view.h"

namespace twinage {

// A rectangle of pixels: `ld` floats from one pixel to the next, `row` from one row to the next.
struct PixelBox {
  Index rows, columns, row, ld;
};

// A function for each pair of elements that x and y may have (core/view.h). Offsets count floats,
// or words of bf16; `channels` numbers.
template <class Function>
using OfElements = Function* [2][2];
template <class Function>
Function* pick(const OfElements<Function>& all, ConstView x, ConstView y) {
  return all[static_cast<int>(x.element)][static_cast<int>(y.element)];
}

struct PoolKernels {
  // y[c] = largest x of the box.
  using Largest = void(float* y, const float* x, PixelBox box, Index channels);
  OfElements<Largest> largest;
  // dx += dy at the first pixel of the box, row by row, where x == y; but only where that lies in
  // rows [first_row, end_row) of the box. `box` is dx's; x lies the same way with a pitch and a
  // row of its own.
  void (*to_largest)(float* dx, PixelBox box, Index first_row, Index end_row, const float* dy,
                     const float* x, Index x_ld, Index x_row, const float* y, Index channels);
  // y[c] = or += factor * sum of x over the box; an empty box sums to 0.
  using Sum = void(float* y, const float* x, PixelBox box, Index channels, float factor,
                   bool accumulate);
  OfElements<Sum> sum;
  // The same for 3 x 3 windows beside each other: y[q] = or += factor * sum of x over the rows of
  // the box and its columns q - 1, q, q + 1 as far as they exist. A column is summed once for the
  // three windows it is in.
  using SumOfThree = void(float* y, Index y_ld, const float* x, PixelBox box, Index channels,
                          float factor, bool accumulate);
  OfElements<SumOfThree> sum_of_three;
};

namespace baseline {
extern const PoolKernels kPool;
}
namespace avx2 {
extern const PoolKernels kPool;
}
namespace avx512 {
extern const PoolKernels kPool;
}

}  // namespace twinage
