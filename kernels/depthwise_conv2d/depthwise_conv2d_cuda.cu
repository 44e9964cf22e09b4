// Memory decides: what counts are whole, neighbouring accesses, and that the taps of a window,
// which overlap with the neighbours', come from the cache. A thread owns the element of the output,
// the filter's gradient included: nothing is scattered, so no atomics and the same bits every run.
#include "kernels/depthwise_conv2d/depthwise_conv2d.h"
#include "kernels/pool/windows.h"
#include "kernels/simt/picture.h"

namespace twinage::TWINAGE_GPU_NAMESPACE {
namespace {

constexpr int kLanes = 32;      // channels of a block that sums: a warp reads 128 bytes of a pixel
constexpr int kRows = 8;        // pixels that it reads side by side
constexpr int kMergeRows = 16;  // ranges that a merging block reads side by side
constexpr int kThreads = kLanes * kRows, kMergeThreads = kLanes * kMergeRows;

// The windows of one axis, which is a pool's.
struct Windows {
  Pool rows, columns;
  int stride, pad_h, pad_w, R, S;

  Windows(Shape w, Conv2d conv)
      : rows{w.h, conv.stride, conv.pad_h},
        columns{w.w, conv.stride, conv.pad_w},
        stride(static_cast<int>(conv.stride)),
        pad_h(static_cast<int>(conv.pad_h)),
        pad_w(static_cast<int>(conv.pad_w)),
        R(static_cast<int>(w.h)),
        S(static_cast<int>(w.w)) {}
};

// 1. [R][S][C]: the taps of neighbouring channels side by side.
__global__ void __launch_bounds__(kWalkThreads)
    pack(float* packed, const float* w, int taps, Index C) {
  const Index c = static_cast<Index>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (c >= C) return;
  for (int tap = 0; tap < taps; ++tap) packed[tap * C + c] = w[c * taps + tap];
}

template <int kWidth>
__device__ __forceinline__ void add_product(Pack<kWidth>& sum, const float* x, const float* tap) {
  const auto value = load_pack<kWidth>(x), weight = load_pack<kWidth>(tap);
#pragma unroll
  for (int i = 0; i < kWidth; ++i) sum.v[i] += value.v[i] * weight.v[i];
}

template <int kWidth>
__global__ void __launch_bounds__(kWalkThreads)
    forward(View y, ConstView x, const float* packed, Windows of, const float* bias, bool relu) {
  const Index C = y.shape.c;
  for_row_packs<kWidth>(y.shape, [&](Index n, int p, int q, int c) {
    const In from(x, n);
    const auto rows = pixels_of_window(p, from.H, of.rows);
    const auto columns = pixels_of_window(q, from.W, of.columns);
    const int top = p * of.stride - of.pad_h, left = q * of.stride - of.pad_w;
    auto sum = pack_of<kWidth>(0);
    for (int h = rows.first; h < rows.end; ++h)
      for (int w = columns.first; w < columns.end; ++w)
        add_product(sum, from.at(h, w, c), packed + ((h - top) * of.S + w - left) * C + c);
    const auto more = bias != nullptr ? load_pack<kWidth>(bias + c) : pack_of<kWidth>(0);
#pragma unroll
    for (int i = 0; i < kWidth; ++i) {
      const float value = sum.v[i] + more.v[i];
      sum.v[i] = relu && value < 0 ? 0.0F : value;  // in this way NaN stays NaN
    }
    store_pack(Out(y, n).at(p, q, c), sum);
  });
}

template <int kWidth>
__global__ void __launch_bounds__(kWalkThreads)
    backward_data(View dx, ConstView dy, const float* packed, Windows of, bool accumulate) {
  const Index C = dx.shape.c;
  for_row_packs<kWidth>(dx.shape, [&](Index n, int h, int w, int c) {
    const In from(dy, n);
    const auto rows = windows_of_pixel(h, from.H, of.rows);
    const auto columns = windows_of_pixel(w, from.W, of.columns);
    auto sum = pack_of<kWidth>(0);
    for (int p = rows.first; p < rows.end; ++p)
      for (int q = columns.first; q < columns.end; ++q) {
        const int r = h + of.pad_h - p * of.stride, s = w + of.pad_w - q * of.stride;
        add_product(sum, from.at(p, q, c), packed + (r * of.S + s) * C + c);
      }
    float* to = Out(dx, n).at(h, w, c);
    if (accumulate) {
      const auto before = load_pack<kWidth>(to);
#pragma unroll
      for (int i = 0; i < kWidth; ++i) sum.v[i] += before.v[i];
    }
    store_pack(to, sum);
  });
}

// Backward filter, in two steps of a fixed order.
//
// Output pixels of a range: few enough that float32 sums over them are accurate, and at most 512
// ranges.
Index range_pixels(Shape y) {
  return std::max<Index>(256, round_up(ceil_div(y.pixels(), 512), kRows));
}
Index range_count(Shape y) {
  return ceil_div(y.pixels(), range_pixels(y));
}

// 1. partial[range][R][S][C]. A block has kTapRows x kTapColumns of the taps: all of a 3 x 3
// filter, so that dy is read once; else one of them (blockIdx.z).
template <int kTapRows, int kTapColumns>
__global__ void __launch_bounds__(kThreads)
    filter_of_ranges(float* partial, ConstView dy, ConstView x, Windows of, int range) {
  constexpr int kTaps = kTapRows * kTapColumns;
  GPU_SHARED(float, of_row, [kRows][kLanes]);
  const int first_tap = static_cast<int>(blockIdx.z) * kTaps;
  const int r0 = first_tap / of.S, s0 = first_tap % of.S;
  const int P = static_cast<int>(dy.shape.h), Q = static_cast<int>(dy.shape.w);
  const int H = static_cast<int>(x.shape.h), W = static_cast<int>(x.shape.w);
  const Index C = x.shape.c, c = static_cast<Index>(blockIdx.x) * kLanes + threadIdx.x;
  const int first = static_cast<int>(blockIdx.y) * range;
  const int end = min(first + range, static_cast<int>(dy.shape.pixels()));
  float sum[kTaps] = {};
  if (c < C)
    for (int pixel = first + static_cast<int>(threadIdx.y); pixel < end; pixel += kRows) {
      const int row = pixel / Q, q = pixel - row * Q, n = row / P, p = row - n * P;
      const float gradient = dy.pixel(pixel)[c];
#pragma unroll
      for (int tap = 0; tap < kTaps; ++tap) {
        const int h = p * of.stride - of.pad_h + r0 + tap / kTapColumns;
        const int w = q * of.stride - of.pad_w + s0 + tap % kTapColumns;
        if (h < 0 || h >= H || w < 0 || w >= W) continue;
        sum[tap] += gradient * x.pixel((static_cast<Index>(n) * H + h) * W + w)[c];
      }
    }
#pragma unroll
  for (int tap = 0; tap < kTaps; ++tap) {
    of_row[threadIdx.y][threadIdx.x] = sum[tap];
    __syncthreads();
    if (threadIdx.y == 0 && c < C) {
      float total = 0;
      for (int i = 0; i < kRows; ++i) total += of_row[i][threadIdx.x];
      partial[(static_cast<Index>(blockIdx.y) * of.R * of.S + first_tap + tap) * C + c] = total;
    }
    __syncthreads();
  }
}

// 2. add the ranges up: a block has kLanes channels of a tap
__global__ void __launch_bounds__(kMergeThreads)
    merge(float* dw, const float* partial, Index ranges, Index C, bool accumulate) {
  GPU_SHARED(double, of_row, [kMergeRows][kLanes]);
  const Index taps = gridDim.y, tap = blockIdx.y;
  const Index c = static_cast<Index>(blockIdx.x) * kLanes + threadIdx.x;
  double sum = 0;
  if (c < C)
    for (Index k = threadIdx.y; k < ranges; k += kMergeRows)
      sum += partial[(k * taps + tap) * C + c];
  of_row[threadIdx.y][threadIdx.x] = sum;
  __syncthreads();
  if (threadIdx.y > 0 || c >= C) return;
  for (int row = 1; row < kMergeRows; ++row) sum += of_row[row][threadIdx.x];
  float& to = dw[c * taps + tap];
  to = static_cast<float>(accumulate ? to + sum : sum);
}

const float* packed_of(const Context& ctx, const char* operation, WorkspaceScope& scratch,
                       ConstView w) {
  const Index C = w.shape.n, taps = w.shape.h * w.shape.w;
  float* packed = scratch.floats(C * taps);
  gpu::launch(ctx, operation, pack, dim3(static_cast<unsigned>(ceil_div(C, kWalkThreads))),
              dim3(kWalkThreads), 0, packed, w.data, taps, C);
  return packed;
}

}  // namespace

Index depthwise_conv2d_workspace(const Context&, Shape x, Shape w, Conv2d conv) {
  const Shape y = depthwise_conv2d_shape(x, w, conv);
  return workspace_floats(w.size() * std::max<Index>(1, range_count(y)));
}

void depthwise_conv2d_forward(const Context& ctx, View y, ConstView x, ConstView w, Conv2d conv,
                              ConvEpilogue epilogue) {
  if (y.shape.size() == 0) return;
  WorkspaceScope scratch(ctx.workspace);
  const float* packed = packed_of(ctx, "depthwise_conv2d_forward", scratch, w);
  const bool fours = in_fours(y) && in_fours(x) && in_fours(epilogue.bias);
  const Walk walk = walk_rows(y.shape, fours ? 4 : 1);
  gpu::launch(ctx, "depthwise_conv2d_forward", fours ? forward<4> : forward<1>, walk.grid,
              walk.block, 0, y, x, packed, Windows(w.shape, conv), epilogue.bias, epilogue.relu);
}

void depthwise_conv2d_backward_data(const Context& ctx, View dx, ConstView dy, ConstView w,
                                    Conv2d conv, Write write) {
  if (dx.shape.size() == 0) return;
  WorkspaceScope scratch(ctx.workspace);
  const float* packed = packed_of(ctx, "depthwise_conv2d_backward_data", scratch, w);
  const bool fours = in_fours(dx) && in_fours(dy);
  const Walk walk = walk_rows(dx.shape, fours ? 4 : 1);
  gpu::launch(ctx, "depthwise_conv2d_backward_data", fours ? backward_data<4> : backward_data<1>,
              walk.grid, walk.block, 0, dx, dy, packed, Windows(w.shape, conv),
              write == Write::accumulate);
}

void depthwise_conv2d_backward_filter(const Context& ctx, View dw, ConstView dy, ConstView x,
                                      Conv2d conv, Write write) {
  const Index C = x.shape.c, taps = dw.shape.h * dw.shape.w, ranges = range_count(dy.shape);
  WorkspaceScope scratch(ctx.workspace);
  float* partial = scratch.floats(ranges * dw.shape.size());
  const auto groups = static_cast<unsigned>(ceil_div(C, kLanes));
  const bool whole = dw.shape.h == 3 && dw.shape.w == 3;
  if (ranges > 0)
    gpu::launch(
        ctx, "depthwise_conv2d_backward_filter",
        whole ? filter_of_ranges<3, 3> : filter_of_ranges<1, 1>,
        dim3(groups, static_cast<unsigned>(ranges), whole ? 1U : static_cast<unsigned>(taps)),
        dim3(kLanes, kRows), 0, partial, dy, x, Windows(dw.shape, conv), range_pixels(dy.shape));
  gpu::launch(ctx, "depthwise_conv2d_backward_filter", merge,
              dim3(groups, static_cast<unsigned>(taps)), dim3(kLanes, kMergeRows), 0, dw.data,
              partial, ranges, C, write == Write::accumulate);
}

}  // namespace twinage::TWINAGE_GPU_NAMESPACE
