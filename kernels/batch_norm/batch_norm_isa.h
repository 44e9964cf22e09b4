// The arithmetic of batch_norm_cpu.cpp over a block of pixels, one copy for each instruction set.
#pragma once
#include "core/shape.h"

namespace twinage {

// What the loops need of every channel, [C] each.
struct BatchNormChannels {
  const float* mean;
  const float* scale;  // gamma / sqrt(variance + epsilon)
  const float* beta;
  const float* mean_g = nullptr;  // mean of g over all pixels         (only for dx)
  const float* slope = nullptr;   // mean(g * xhat) / sqrt(variance + epsilon)
  bool relu = false;
};

// Rows: `pixels` rows of `channels` floats, a pitch from one row to the next behind each pointer.
struct BatchNormKernels {
  // Of one block: mean - origin, and the sum of squared deviations from the mean. `origin` is any
  // value near the channel's: a large common value then costs the means no digits.
  void (*moments)(float* offset, float* m2, const float* x, Index x_ld, const float* origin,
                  Index pixels, Index channels);
  void (*apply)(float* y, Index y_ld, const float* x, Index x_ld, Index pixels, Index channels,
                const BatchNormChannels& per);
  // Sum of g, and of g * (x - mean), over one block.
  void (*sums)(float* sum_g, float* sum_gd, const float* dy, Index dy_ld, const float* x,
               Index x_ld, Index pixels, Index channels, const BatchNormChannels& per);
  void (*dx)(float* dx, Index dx_ld, const float* dy, Index dy_ld, const float* x, Index x_ld,
             Index pixels, Index channels, const BatchNormChannels& per);
};

namespace baseline {
extern const BatchNormKernels kBatchNorm;
}
namespace avx2 {
extern const BatchNormKernels kBatchNorm;
}
namespace avx512 {
extern const BatchNormKernels kBatchNorm;
}

}  // namespace twinage
