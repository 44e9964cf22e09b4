// Depthwise convolution (Howard et al. 2017, "MobileNets", section 3.1, equation 3): every channel
// has a filter of its own and sees no other channel,
//
//   y[n,p,q,c] = sum over r,s of x[n, p*stride - pad_h + r, q*stride - pad_w + s, c] * w[c,r,s]
//
// with x = 0 outside the picture; P and Q as conv2d's. Filters are KRSC with one input channel,
// w = (C, R, S, 1): what PyTorch has as (C, 1, R, S) with groups = C.
// FLOPs: 2*N*P*Q*C*R*S each way.  Bytes: 4*(|x| + |y| + |w|) at least: 3 x 3 filters multiply and
// add nine times for two numbers moved, so that memory decides how long it takes.
// Error bound against exact sums: R*S * 2^-24 * sum |x*w|; backward_filter: N*P*Q in place of R*S.
// Always float32: there is nothing to multiply for tensor cores, and ctx.math and ctx.vendor are of
// no influence.
//
// All functions throw Error on shapes that do not fit, before writing anything. x and y may be
// channel slices (ld > c); w and dw are contiguous. An empty batch is valid.
#pragma once
#include "core/context.h"
#include "core/view.h"
#include "kernels/backends.h"
#include "kernels/conv2d/conv2d.h"

namespace twinage {

// Shape of y. Throws Error.
Shape depthwise_conv2d_shape(Shape x, Shape w, Conv2d conv);

// Scratch (floats, already rounded for the workspace) that any of the three functions may take.
Index depthwise_conv2d_workspace(const Context& ctx, Shape x, Shape w, Conv2d conv);

// y = conv(x, w), then the epilogue's bias and ReLU. Throws Error when it asks for statistics.
void depthwise_conv2d_forward(const Context& ctx, View y, ConstView x, ConstView w, Conv2d conv,
                              ConvEpilogue epilogue = {});

// dx = or += the gradient with respect to x, given dy.
void depthwise_conv2d_backward_data(const Context& ctx, View dx, ConstView dy, ConstView w,
                                    Conv2d conv, Write write = Write::overwrite);

// dw = or += the gradient with respect to w, given dy.
void depthwise_conv2d_backward_filter(const Context& ctx, View dw, ConstView dy, ConstView x,
                                      Conv2d conv, Write write = Write::accumulate);

TWINAGE_BACKENDS(depthwise_conv2d_forward)
TWINAGE_BACKENDS(depthwise_conv2d_backward_data)
TWINAGE_BACKENDS(depthwise_conv2d_backward_filter)
TWINAGE_DEVICE_BACKENDS(depthwise_conv2d_workspace)

}  // namespace twinage
