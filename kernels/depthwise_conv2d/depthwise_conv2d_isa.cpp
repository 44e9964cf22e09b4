// Outputs whose windows lie within the row are taken several at a time: their windows overlap, so
// that a pixel of x is loaded once for up to three of them, and a tap once for all. Pixels are read
// in the order of memory, all channels of a few columns, and not one vector of channels along the
// row: strides of a pixel leave the prefetcher behind.
#include "kernels/depthwise_conv2d/depthwise_conv2d_isa.h"

#include "core/simd.h"

namespace twinage::TWINAGE_ISA_NAMESPACE {
namespace {

// How far ahead of the sums memory is asked for, in so many groups of outputs: the processor's own
// prefetcher does not follow pixels that are read a few vectors at a time (a fifth of the time on
// maps larger than the cache).
constexpr Index kAhead = 2;

struct Range {
  Index begin, end;
};

// Outputs whose every tap meets a column of x.
Range inside(const DepthwiseRow& row, Index outputs) {
  const Index last = row.columns - row.taps - row.first;
  Index end = last < 0 ? 0 : last / row.stride + 1;
  if (end > outputs) end = outputs;
  Index begin = row.first < 0 ? (row.stride - 1 - row.first) / row.stride : 0;
  if (begin > end) begin = end;
  return {begin, end};
}

// Taps of output j that meet a column of x.
Range taps_inside(const DepthwiseRow& row, Index j) {
  const Index column = row.first + j * row.stride;
  const Index begin = column < 0 ? -column : 0;
  const Index most = row.columns - column;
  return {begin, row.taps < most ? row.taps : most};
}

const float* column_of(const DepthwiseRow& row, Index j) {
  return row.x + (row.first + j * row.stride) * row.x_ld;
}

// 1. forward, backward data

template <class V>
TWINAGE_INLINE void finish(const DepthwiseOutputs& out, Index j, Index c, typename V::Value sum) {
  float* to = out.y + j * out.step + c;
  if (out.bias != nullptr) sum += V::load(out.bias + c);
  if (out.relu) sum = V::max(V::all(0), sum);  // in this order NaN stays NaN
  V::store(to, out.accumulate ? V::load(to) + sum : sum);
}

// kOutputs outputs from j on, all of whose taps meet a column.
template <class V, int kTaps, int kStride, int kOutputs>
TWINAGE_INLINE void several(const DepthwiseOutputs& out, const DepthwiseRow& row, Index j,
                            const float* x, Index c) {
  constexpr int kColumns = (kOutputs - 1) * kStride + kTaps;
  typename V::Value sum[kOutputs] = {};
  for (Index r = 0; r < row.rows; ++r) {
    typename V::Value pixel[kColumns];
    TWINAGE_UNROLL
    for (int i = 0; i < kColumns; ++i) pixel[i] = V::load(x + r * row.x_row + i * row.x_ld + c);
    TWINAGE_UNROLL
    for (int s = 0; s < kTaps; ++s) {
      const auto tap = V::load(row.w + r * row.w_row + s * row.w_tap + c);
      TWINAGE_UNROLL
      for (int i = 0; i < kOutputs; ++i) sum[i] += pixel[i * kStride + s] * tap;
    }
  }
  TWINAGE_UNROLL
  for (int i = 0; i < kOutputs; ++i) finish<V>(out, j + i, c, sum[i]);
}

// Any output, also at an edge: the taps that meet a column are a shorter filter.
void clipped(const DepthwiseOutputs& out, const DepthwiseRow& whole_row, Index j) {
  const Range taps = taps_inside(whole_row, j);
  DepthwiseRow row = whole_row;
  row.w += taps.begin * row.w_tap;
  const float* x = column_of(row, j) + taps.begin * row.x_ld;
  const Index count = taps.end - taps.begin;
  each_vector(row.channels, [=, &out, &row](auto v, Index c) {
    using V = decltype(v);
    if (count == 3) return several<V, 3, 1, 1>(out, row, j, x, c);
    if (count == 2) return several<V, 2, 1, 1>(out, row, j, x, c);
    auto sum = V::all(0);
    for (Index r = 0; r < row.rows; ++r)
      for (Index s = 0; s < count; ++s)
        sum += V::load(x + r * row.x_row + s * row.x_ld + c) *
               V::load(row.w + r * row.w_row + s * row.w_tap + c);
    finish<V>(out, j, c, sum);
  });
}

template <int kTaps, int kStride, int kOutputs>
Index whole(const DepthwiseOutputs& out, const DepthwiseRow& row, Index j, Index end) {
  for (; j + kOutputs <= end; j += kOutputs) {
    const float* x = column_of(row, j);
    const float* next = x + (row.rows - 1) * row.x_row + kAhead * kOutputs * kStride * row.x_ld;
    float* next_y = out.y + (j + kAhead * kOutputs) * out.step;
    each_vector(row.channels, [=, &out, &row](auto v, Index c) {
      TWINAGE_UNROLL
      for (int i = 0; i < kOutputs * kStride; ++i) __builtin_prefetch(next + i * row.x_ld + c);
      TWINAGE_UNROLL
      for (int i = 0; i < kOutputs; ++i) __builtin_prefetch(next_y + i * out.step + c, 1);
      several<decltype(v), kTaps, kStride, kOutputs>(out, row, j, x, c);
    });
  }
  return j;
}

void correlate(const DepthwiseOutputs& out, const DepthwiseRow& row) {
  const Range in = inside(row, out.count);
  Index j = 0;
  for (; j < in.begin; ++j) clipped(out, row, j);
  if (row.taps == 3 && row.stride == 1) j = whole<3, 1, 4>(out, row, j, in.end);
  if (row.taps == 3 && row.stride == 2) j = whole<3, 2, 4>(out, row, j, in.end);
  // The phases of a backward of 3 taps and stride 2.
  if (row.taps == 2 && row.stride == 1) j = whole<2, 1, 4>(out, row, j, in.end);
  if (row.taps == 1 && row.stride == 1) j = whole<1, 1, 4>(out, row, j, in.end);
  for (; j < out.count; ++j) clipped(out, row, j);
}

// 2. backward filter

void filter_clipped(float* dw, const float* dy, const DepthwiseRow& row, Index j) {
  const Range taps = taps_inside(row, j);
  const float* x = column_of(row, j);
  each_vector(row.channels, [=, &row](auto v, Index c) {
    using V = decltype(v);
    const auto gradient = V::load(dy + c);
    for (Index r = 0; r < row.rows; ++r)
      for (Index s = taps.begin; s < taps.end; ++s) {
        float* to = dw + r * row.w_row + s * row.w_tap + c;
        V::store(to, V::load(to) + gradient * V::load(x + r * row.x_row + s * row.x_ld + c));
      }
  });
}

template <class V, int kTaps, int kStride, int kOutputs>
TWINAGE_INLINE void filter_several(float* dw, const float* dy, Index dy_ld, const DepthwiseRow& row,
                                   const float* x, Index c) {
  constexpr int kColumns = (kOutputs - 1) * kStride + kTaps;
  typename V::Value gradient[kOutputs];
  TWINAGE_UNROLL
  for (int i = 0; i < kOutputs; ++i) gradient[i] = V::load(dy + i * dy_ld + c);
  for (Index r = 0; r < row.rows; ++r) {
    float* to = dw + r * row.w_row + c;
    typename V::Value sum[kTaps];
    TWINAGE_UNROLL
    for (int s = 0; s < kTaps; ++s) sum[s] = V::load(to + s * row.w_tap);
    TWINAGE_UNROLL
    for (int column = 0; column < kColumns; ++column) {
      const auto pixel = V::load(x + r * row.x_row + column * row.x_ld + c);
      TWINAGE_UNROLL
      for (int s = 0; s < kTaps; ++s) {  // the output that meets this column under tap s
        const int i = (column - s) / kStride;
        if (column >= s && (column - s) % kStride == 0 && i < kOutputs)
          sum[s] += pixel * gradient[i];
      }
    }
    TWINAGE_UNROLL
    for (int s = 0; s < kTaps; ++s) V::store(to + s * row.w_tap, sum[s]);
  }
}

template <int kTaps, int kStride, int kOutputs>
Index filter_whole(float* dw, const float* dy, Index dy_ld, const DepthwiseRow& row, Index j,
                   Index end) {
  for (; j + kOutputs <= end; j += kOutputs) {
    const float *x = column_of(row, j), *gradient = dy + j * dy_ld;
    each_vector(row.channels, [=, &row](auto v, Index c) {
      filter_several<decltype(v), kTaps, kStride, kOutputs>(dw, gradient, dy_ld, row, x, c);
    });
  }
  return j;
}

void filter(float* dw, const float* dy, Index dy_ld, Index count, const DepthwiseRow& row) {
  const Range in = inside(row, count);
  Index j = 0;
  for (; j < in.begin; ++j) filter_clipped(dw, dy + j * dy_ld, row, j);
  if (row.taps == 3 && row.stride == 1) {
    j = filter_whole<3, 1, 8>(dw, dy, dy_ld, row, j, in.end);
    j = filter_whole<3, 1, 3>(dw, dy, dy_ld, row, j, in.end);
  }
  if (row.taps == 3 && row.stride == 2) j = filter_whole<3, 2, 4>(dw, dy, dy_ld, row, j, in.end);
  for (; j < count; ++j) filter_clipped(dw, dy + j * dy_ld, row, j);
}

}  // namespace

const DepthwiseKernels kDepthwise = {correlate, filter};

}  // namespace twinage::TWINAGE_ISA_NAMESPACE
