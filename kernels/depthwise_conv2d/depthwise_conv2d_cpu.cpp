// Which rows of x a row of outputs meets is decided here; depthwise_conv2d_isa.cpp walks the row.
// Backward data is the same walk over dy, one for each phase of x's rows and columns (phase.h).
// Rows are cut into tasks by the shape alone, and a task's outputs are its own.
#include <algorithm>

#include "core/isa.h"
#include "core/parallel.h"
#include "kernels/conv2d/phase.h"
#include "kernels/depthwise_conv2d/depthwise_conv2d.h"
#include "kernels/depthwise_conv2d/depthwise_conv2d_isa.h"

namespace twinage::cpu {
namespace {

constexpr Index kTaskFloats = 32768;   // of outputs: long against starting a task
constexpr Index kChannelGroup = 64;    // channels of a task that adds partial sums up
constexpr Index kMostPartials = 256;   // of backward filter
constexpr Index kPartialPixels = 128;  // at least so many: a partial sum is little against them

const DepthwiseKernels& kernels() {
  return pick_isa(baseline::kDepthwise, avx2::kDepthwise, avx512::kDepthwise);
}

template <class AnyView>
auto row_of(AnyView x, Index n, Index h) {
  return x.pixel((n * x.shape.h + h) * x.shape.w);
}

// Calls f(n, h) for every row of every image.
template <class F>
void for_rows(const Context& ctx, Shape y, F f) {
  const Index rows = y.n * y.h, step = std::max<Index>(1, kTaskFloats / (y.w * y.c));
  parallel_for(ctx.threads, ceil_div(rows, step), [&](Index task, int) {
    for (Index row = task * step; row < std::min(rows, (task + 1) * step); ++row)
      f(row / y.h, row % y.h);
  });
}

// [R][S][C]: the taps of neighbouring channels side by side.
const float* pack(WorkspaceScope& scratch, ConstView w) {
  const Index channels = w.shape.n, taps = w.shape.h * w.shape.w;
  float* packed = scratch.floats(channels * taps);
  for (Index tap = 0; tap < taps; ++tap)
    for (Index c = 0; c < channels; ++c) packed[tap * channels + c] = w.data[c * taps + tap];
  return packed;
}

// What the outputs of row p meet of x. packed: [R][S][C], filters or their sums.
struct Forward {
  DepthwiseRow row;
  Index first_tap;  // floats in front of the first row of taps that meets x

  Forward(ConstView x, Shape w, Conv2d conv, Index n, Index p) {
    const Index top = p * conv.stride - conv.pad_h, channels = x.shape.c;
    const Index r = std::max<Index>(0, -top), end = std::min(w.h, x.shape.h - top);
    row = {.x = end > r ? row_of(x, n, top + r) : x.data,
           .x_ld = x.ld,
           .x_row = x.shape.w * x.ld,
           .columns = x.shape.w,
           .rows = std::max<Index>(0, end - r),
           .first = -conv.pad_w,
           .stride = conv.stride,
           .w = nullptr,
           .w_row = w.w * channels,
           .w_tap = channels,
           .taps = w.w,
           .channels = channels};
    first_tap = row.rows > 0 ? r * row.w_row : 0;
  }
};

// Rows of outputs whose products make one partial sum of backward filter.
Index partial_rows(Shape y) {
  return std::max(ceil_div(kPartialPixels, y.w), ceil_div(y.n * y.h, kMostPartials));
}
Index partial_count(Shape y) {
  return ceil_div(y.n * y.h, partial_rows(y));
}

}  // namespace

Index depthwise_conv2d_workspace(const Context&, Shape x, Shape w, Conv2d conv) {
  const Shape y = depthwise_conv2d_shape(x, w, conv);
  return workspace_floats(w.size() * std::max<Index>(1, partial_count(y)));
}

void depthwise_conv2d_forward(const Context& ctx, View y, ConstView x, ConstView w, Conv2d conv,
                              ConvEpilogue epilogue) {
  WorkspaceScope scratch(ctx.workspace);
  const float* packed = pack(scratch, w);
  for_rows(ctx, y.shape, [&](Index n, Index p) {
    Forward from(x, w.shape, conv, n, p);
    from.row.w = packed + from.first_tap;
    kernels().correlate({row_of(y, n, p), y.ld, y.shape.w, epilogue.bias, epilogue.relu, false},
                        from.row);
  });
}

void depthwise_conv2d_backward_data(const Context& ctx, View dx, ConstView dy, ConstView w,
                                    Conv2d conv, Write write) {
  WorkspaceScope scratch(ctx.workspace);
  const float* packed = pack(scratch, w);
  const Index stride = conv.stride, channels = dx.shape.c, R = w.shape.h, S = w.shape.w;
  for_rows(ctx, dx.shape, [&](Index n, Index h) {
    // Row h meets rows p, p + 1, ... of dy under rows last, last - stride, ... of taps.
    const PhaseAxis rows = phase_axis(dx.shape.h, R, stride, conv.pad_h, h % stride);
    const Index p = h / stride - rows.before;
    const Index skip = std::max<Index>(0, -p), end = std::min(rows.count, dy.shape.h - p);
    for (Index phase = 0; phase < std::min(stride, dx.shape.w); ++phase) {
      const PhaseAxis columns = phase_axis(dx.shape.w, S, stride, conv.pad_w, phase);
      const Index first_tap = ((rows.last - skip * stride) * S + columns.last) * channels;
      const DepthwiseRow row{.x = end > skip ? row_of(dy, n, p + skip) : dy.data,
                             .x_ld = dy.ld,
                             .x_row = dy.shape.w * dy.ld,
                             .columns = dy.shape.w,
                             .rows = std::max<Index>(0, end - skip),
                             .first = -columns.before,
                             .stride = 1,
                             .w = packed + (end > skip ? first_tap : 0),
                             .w_row = -stride * S * channels,
                             .w_tap = -stride * channels,
                             .taps = columns.count,
                             .channels = channels};
      kernels().correlate({row_of(dx, n, h) + phase * dx.ld, stride * dx.ld, columns.size, nullptr,
                           false, write == Write::accumulate},
                          row);
    }
  });
}

void depthwise_conv2d_backward_filter(const Context& ctx, View dw, ConstView dy, ConstView x,
                                      Conv2d conv, Write write) {
  const Index channels = x.shape.c, taps = dw.shape.h * dw.shape.w, size = dw.shape.size();
  const Index rows = dy.shape.n * dy.shape.h, step = partial_rows(dy.shape);
  const Index count = partial_count(dy.shape);
  WorkspaceScope scratch(ctx.workspace);
  // 1. a sum for each range of rows: partial[range][R][S][C]
  float* partial = scratch.floats(count * size);
  parallel_for(ctx.threads, count, [&](Index range, int) {
    float* sum = partial + range * size;
    std::fill_n(sum, size, 0.0F);
    for (Index i = range * step; i < std::min(rows, (range + 1) * step); ++i) {
      const Index n = i / dy.shape.h, p = i % dy.shape.h;
      const Forward from(x, dw.shape, conv, n, p);
      kernels().filter(sum + from.first_tap, row_of(dy, n, p), dy.ld, dy.shape.w, from.row);
    }
  });
  // 2. add the ranges up
  parallel_for(ctx.threads, ceil_div(channels, kChannelGroup), [&](Index group, int) {
    const Index first = group * kChannelGroup, end = std::min(first + kChannelGroup, channels);
    for (Index tap = 0; tap < taps; ++tap) {
      double sum[kChannelGroup] = {};
      for (Index range = 0; range < count; ++range) {
        const float* from = partial + range * size + tap * channels;
        for (Index c = first; c < end; ++c) sum[c - first] += static_cast<double>(from[c]);
      }
      for (Index c = first; c < end; ++c) {
        float& to = dw.data[c * taps + tap];
        const double before = write == Write::accumulate ? static_cast<double>(to) : 0;
        to = static_cast<float>(before + sum[c - first]);
      }
    }
  });
}

}  // namespace twinage::cpu
