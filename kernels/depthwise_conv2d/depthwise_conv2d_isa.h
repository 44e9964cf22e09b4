// The arithmetic of depthwise_conv2d_cpu.cpp over one row of outputs, vectors along the channels;
// one copy for each instruction set.
#pragma once
#include "core/shape.h"

namespace twinage {

// Where the products of one row of outputs come from: output j meets column
// first + j * stride + s of row r of x under tap (r, s), as far as x has that column. Forward reads
// x; backward data reads dy in the same way, with the taps in reverse order.
struct DepthwiseRow {
  const float* x;     // row 0 of the rows that the filter meets, its column 0
  Index x_ld, x_row;  // floats from one pixel, one row to the next
  Index columns;      // of x
  Index rows;         // of x that are met; 0: every sum is empty
  Index first, stride;
  const float* w;      // tap (0, 0) of channel 0; channels are neighbours
  Index w_row, w_tap;  // floats from one row of taps, one tap to the next
  Index taps;          // of a row
  Index channels;
};

// The outputs: y[j * step + c] = or += relu(sum + bias[c]).
struct DepthwiseOutputs {
  float* y;
  Index step, count;
  const float* bias;  // null: none
  bool relu, accumulate;
};

struct DepthwiseKernels {
  void (*correlate)(const DepthwiseOutputs& out, const DepthwiseRow& row);
  // dw[r * w_row + s * w_tap + c] += sum over the row's outputs of dy[j] * x; row.w is not read.
  void (*filter)(float* dw, const float* dy, Index dy_ld, Index count, const DepthwiseRow& row);
};

namespace baseline {
extern const DepthwiseKernels kDepthwise;
}
namespace avx2 {
extern const DepthwiseKernels kDepthwise;
}
namespace avx512 {
extern const DepthwiseKernels kDepthwise;
}

}  // namespace twinage
