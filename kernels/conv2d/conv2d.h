// Convolution (cross-correlation, as all frameworks), activations NHWC, filters KRSC:
//
//   y[n,p,q,k] = sum over r,s,c of x[n, p*stride - pad_h + r, q*stride - pad_w + s, c] * w[k,r,s,c]
//
// with x = 0 outside the picture.  P = (H + 2*pad_h - R) / stride + 1, Q likewise, rounded down.
// FLOPs: 2*N*P*Q*K*C*R*S each way.  Bytes: 4*(|x| + |y| + |w|) at least.
// Error bound against exact sums: C*R*S * 2^-24 * sum |x*w| (float32 accumulation); with ctx.math
// tf32 (devices cuda and simt only) another 2^-10, with bf16 another 2^-7 times sum |x*w|, because
// both operands are rounded, by 2^-11 or 2^-8 of themselves at most. Rounded operands are exact in
// the definition (naive, core/bf16.h), so that against it only the first bound counts; processors
// that multiply bf16 take operands and sums below 2^-126 for zero.
//
// The CPU computes wide 3 x 3 convolutions of stride 1, forward and backward data, by Winograd's
// F(4 x 4, 3 x 3), whose bound is another (winograd.h), and where a NaN reaches its neighbours,
// too.
//
// All functions throw Error on shapes that do not fit, before writing anything. x and y may be
// channel slices (ld > c); w and dw are contiguous. An empty batch is valid.
//
// Forward in bf16 on the CPU also takes bf16 views (core/view.h), in the place of x, of y or of
// both. As an operand a number is rounded in any case: the result is, bit for bit, that of the same
// numbers in float32, rounded once more if y is bf16.
#pragma once
#include "core/context.h"
#include "core/view.h"
#include "kernels/backends.h"

namespace twinage {

struct Conv2d {
  Index stride = 1, pad_h = 0, pad_w = 0;
};

// What forward does on the way out, while the results are still in registers. Order: statistics
// of the raw sums, then bias, then ReLU.
struct ConvEpilogue {
  const float* bias = nullptr;  // [K], added to every pixel
  bool relu = false;            // max(0, .)
  // Mean and biased variance of every channel of y over all N*P*Q pixels, [K] each; null: not
  // wanted. Formed from per-block mean and M2 (Chan et al.), never E[x^2] - E[x]^2 overall. Throws
  // Error where conv2d_has_statistics() is false.
  float* mean = nullptr;
  float* variance = nullptr;
};

// Whether forward can form the statistics of its epilogue: NVIDIA's library cannot.
inline bool conv2d_has_statistics(const Context& ctx) {
  return !ctx.vendor;
}

// Shape of y. Throws Error.
Shape conv2d_shape(Shape x, Shape w, Conv2d conv);

// Scratch (floats, already rounded for the workspace) that any of the three functions may take.
Index conv2d_workspace(const Context& ctx, Shape x, Shape w, Conv2d conv);

// y = conv(x, w), epilogue applied.
void conv2d_forward(const Context& ctx, View y, ConstView x, ConstView w, Conv2d conv,
                    ConvEpilogue epilogue = {});

// Filters that serve many forward passes can be packed once: in the order, and of the arithmetic,
// in which the kernels read them, so that no pass has to bring them there; for inputs x of one
// height and width, whose number may differ.
// How many floats that takes; 0 on devices whose kernels read filters as they are, which have none
// of the next two.
Index conv2d_packed_floats(const Context& ctx, Shape x, Shape w, Conv2d conv);
// The order is that of the processor's instruction set (core/isa.h): nothing for a file.
void conv2d_pack(const Context& ctx, float* packed, Shape x, ConstView w, Conv2d conv);
// The bits of conv2d_forward() with the filters of shape w that were packed in the same arithmetic.
void conv2d_forward_packed(const Context& ctx, View y, ConstView x, Shape w, const float* packed,
                           Conv2d conv, ConvEpilogue epilogue = {});

// dx = or += the gradient with respect to x, given dy.
void conv2d_backward_data(const Context& ctx, View dx, ConstView dy, ConstView w, Conv2d conv,
                          Write write = Write::overwrite);

// dw = or += the gradient with respect to w, given dy.
void conv2d_backward_filter(const Context& ctx, View dw, ConstView dy, ConstView x, Conv2d conv,
                            Write write = Write::accumulate);

TWINAGE_BACKENDS(conv2d_forward)
TWINAGE_BACKENDS(conv2d_backward_data)
TWINAGE_BACKENDS(conv2d_backward_filter)
TWINAGE_DEVICE_BACKENDS(conv2d_workspace)
TWINAGE_BACKEND(cpu, conv2d_pack)
TWINAGE_BACKEND(cpu, conv2d_packed_floats)
TWINAGE_BACKEND(cpu, conv2d_forward_packed)
TWINAGE_BACKEND(vendor, conv2d_forward)
TWINAGE_BACKEND(vendor, conv2d_backward_data)
TWINAGE_BACKEND(vendor, conv2d_backward_filter)
TWINAGE_BACKEND(vendor, conv2d_workspace)

}  // namespace twinage
