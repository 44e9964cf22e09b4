// A thread owns the element of the output, backward too: an element of dx looks at the windows
// that contain it, in their order. Nothing is scattered, so no atomics and the same bits every run.
#include "kernels/pool/pool.h"
#include "kernels/pool/windows.h"
#include "kernels/simt/picture.h"

namespace twinage::TWINAGE_GPU_NAMESPACE {
namespace {

constexpr int kMeanLanes = 32, kMeanRows = 8;  // channels and pixels of a block that averages all
constexpr int kMeanThreads = kMeanLanes * kMeanRows;

// Calls f with the packs of a box of pixels, row by row.
template <int kWidth, class F>
__device__ __forceinline__ void for_box(const In& x, Span<int> rows, Span<int> columns, int c,
                                        F f) {
  for (int h = rows.first; h < rows.end; ++h)
    for (int w = columns.first; w < columns.end; ++w) f(load_pack<kWidth>(x.at(h, w, c)));
}

// 4 blocks an SM: left to itself, ptxas saves registers for more and spills some on sm_90.
template <int kWidth>
__global__ void __launch_bounds__(kWalkThreads, 4) max_forward(View y, ConstView x, Pool pool) {
  for_row_packs<kWidth>(y.shape, [&](Index n, int p, int q, int c) {
    const In from(x, n);
    const auto rows = pixels_of_window(p, from.H, pool);
    const auto columns = pixels_of_window(q, from.W, pool);
    auto largest = load_pack<kWidth>(from.at(rows.first, columns.first, c));
    for_box<kWidth>(from, rows, columns, c, [&](const Pack<kWidth>& value) {
#pragma unroll
      for (int i = 0; i < kWidth; ++i)
        if (value.v[i] > largest.v[i]) largest.v[i] = value.v[i];
    });
    store_pack(Out(y, n).at(p, q, c), largest);
  });
}

// Clears wins[i] where a pixel of the window in front of (h, w) is as large as `largest`.
template <int kWidth>
__device__ __forceinline__ void keep_first(bool (&wins)[kWidth], const Pack<kWidth>& largest,
                                           const In& x, int h, int w, int c, Span<int> rows,
                                           Span<int> columns) {
  for (int r = rows.first; r <= h; ++r)
    for (int s = columns.first; s < (r < h ? columns.end : w); ++s) {
      const auto before = load_pack<kWidth>(x.at(r, s, c));
#pragma unroll
      for (int i = 0; i < kWidth; ++i) wins[i] = wins[i] && before.v[i] != largest.v[i];
    }
}

template <int kWidth>
__global__ void __launch_bounds__(kWalkThreads)
    max_backward(View dx, ConstView dy, ConstView x, ConstView y, Pool pool, bool accumulate) {
  for_row_packs<kWidth>(dx.shape, [&](Index n, int h, int w, int c) {
    const In in(x, n), out(y, n), gradient(dy, n);
    const auto rows = windows_of_pixel(h, out.H, pool);
    const auto columns = windows_of_pixel(w, out.W, pool);
    const auto mine = load_pack<kWidth>(in.at(h, w, c));
    float* to = Out(dx, n).at(h, w, c);
    auto sum = accumulate ? load_pack<kWidth>(to) : pack_of<kWidth>(0);
    for (int p = rows.first; p < rows.end; ++p)
      for (int q = columns.first; q < columns.end; ++q) {
        const auto largest = load_pack<kWidth>(out.at(p, q, c));
        bool wins[kWidth], any = false;
#pragma unroll
        for (int i = 0; i < kWidth; ++i) {
          wins[i] = mine.v[i] == largest.v[i];
          any = any || wins[i];
        }
        if (!any) continue;
        keep_first<kWidth>(wins, largest, in, h, w, c, pixels_of_window(p, in.H, pool),
                           pixels_of_window(q, in.W, pool));
        const auto g = load_pack<kWidth>(gradient.at(p, q, c));
#pragma unroll
        for (int i = 0; i < kWidth; ++i)
          if (wins[i]) sum.v[i] += g.v[i];
      }
    store_pack(to, sum);
  });
}

// Forward: the sum over the pixels of a window. Backward: over the windows of a pixel.
template <int kWidth, bool kBackward>
__global__ void __launch_bounds__(kWalkThreads)
    average(View to, ConstView from, Pool pool, float factor, bool accumulate) {
  const auto span = [pool](int i, int extent) {
    return kBackward ? windows_of_pixel(i, extent, pool) : pixels_of_window(i, extent, pool);
  };
  for_row_packs<kWidth>(to.shape, [&](Index n, int h, int w, int c) {
    const In in(from, n);
    auto sum = pack_of<kWidth>(0);
    for_box<kWidth>(in, span(h, in.H), span(w, in.W), c, [&](const Pack<kWidth>& value) {
#pragma unroll
      for (int i = 0; i < kWidth; ++i) sum.v[i] += value.v[i];
    });
    float* out = Out(to, n).at(h, w, c);
    const auto before = accumulate ? load_pack<kWidth>(out) : pack_of<kWidth>(0);
#pragma unroll
    for (int i = 0; i < kWidth; ++i) sum.v[i] = sum.v[i] * factor + before.v[i];
    store_pack(out, sum);
  });
}

// A block sums kMeanLanes channels of one image; its rows take every kMeanRows-th pixel.
__global__ void __launch_bounds__(kMeanThreads) global_forward(View y, ConstView x, float factor) {
  GPU_SHARED(float, of_row, [kMeanRows][kMeanLanes]);
  const Index n = blockIdx.x, c = static_cast<Index>(blockIdx.y) * kMeanLanes + threadIdx.x;
  const Index area = x.shape.h * x.shape.w;
  float sum = 0;
  if (c < x.shape.c)
    for (Index p = threadIdx.y; p < area; p += kMeanRows) sum += x.pixel(n * area + p)[c];
  of_row[threadIdx.y][threadIdx.x] = sum;
  __syncthreads();
  if (threadIdx.y > 0 || c >= x.shape.c) return;
  for (int row = 1; row < kMeanRows; ++row) sum += of_row[row][threadIdx.x];
  y.pixel(n)[c] = sum * factor;
}

template <int kWidth>
__global__ void __launch_bounds__(kWalkThreads)
    global_backward(View dx, ConstView dy, float factor, bool accumulate) {
  for_row_packs<kWidth>(dx.shape, [&](Index n, int h, int w, int c) {
    float* to = Out(dx, n).at(h, w, c);
    auto g = load_pack<kWidth>(dy.pixel(n) + c);
    const auto before = accumulate ? load_pack<kWidth>(to) : pack_of<kWidth>(0);
#pragma unroll
    for (int i = 0; i < kWidth; ++i) g.v[i] = g.v[i] * factor + before.v[i];
    store_pack(to, g);
  });
}

float inverse_area(Pool pool) {
  return 1.0F / static_cast<float>(pool.window * pool.window);
}

}  // namespace

void max_pool_forward(const Context& ctx, View y, ConstView x, Pool pool) {
  if (y.shape.size() == 0) return;
  const int width = in_fours(y) && in_fours(x) ? 4 : 1;
  const Walk walk = walk_rows(y.shape, width);
  gpu::launch(ctx, "max_pool_forward", width == 4 ? max_forward<4> : max_forward<1>, walk.grid,
              walk.block, 0, y, x, pool);
}

void max_pool_backward(const Context& ctx, View dx, ConstView dy, ConstView x, ConstView y,
                       Pool pool, Write write) {
  if (dx.shape.size() == 0) return;
  const int width = in_fours(dx) && in_fours(dy) && in_fours(x) && in_fours(y) ? 4 : 1;
  const Walk walk = walk_rows(dx.shape, width);
  gpu::launch(ctx, "max_pool_backward", width == 4 ? max_backward<4> : max_backward<1>, walk.grid,
              walk.block, 0, dx, dy, x, y, pool, write == Write::accumulate);
}

void average_pool_forward(const Context& ctx, View y, ConstView x, Pool pool) {
  if (y.shape.size() == 0) return;
  const int width = in_fours(y) && in_fours(x) ? 4 : 1;
  const Walk walk = walk_rows(y.shape, width);
  gpu::launch(ctx, "average_pool_forward", width == 4 ? average<4, false> : average<1, false>,
              walk.grid, walk.block, 0, y, x, pool, inverse_area(pool), false);
}

void average_pool_backward(const Context& ctx, View dx, ConstView dy, Pool pool, Write write) {
  if (dx.shape.size() == 0) return;
  const int width = in_fours(dx) && in_fours(dy) ? 4 : 1;
  const Walk walk = walk_rows(dx.shape, width);
  gpu::launch(ctx, "average_pool_backward", width == 4 ? average<4, true> : average<1, true>,
              walk.grid, walk.block, 0, dx, dy, pool, inverse_area(pool),
              write == Write::accumulate);
}

void global_average_pool_forward(const Context& ctx, View y, ConstView x) {
  if (x.shape.size() == 0) return;
  const dim3 grid(static_cast<unsigned>(x.shape.n),
                  static_cast<unsigned>(ceil_div(x.shape.c, kMeanLanes)));
  const float factor = 1.0F / static_cast<float>(x.shape.h * x.shape.w);
  gpu::launch(ctx, "global_average_pool_forward", global_forward, grid, dim3(kMeanLanes, kMeanRows),
              0, y, x, factor);
}

void global_average_pool_backward(const Context& ctx, View dx, ConstView dy, Write write) {
  if (dx.shape.size() == 0) return;
  const int width = in_fours(dx) && in_fours(dy) ? 4 : 1;
  const Walk walk = walk_rows(dx.shape, width);
  const float factor = 1.0F / static_cast<float>(dx.shape.h * dx.shape.w);
  gpu::launch(ctx, "global_average_pool_backward",
              width == 4 ? global_backward<4> : global_backward<1>, walk.grid, walk.block, 0, dx,
              dy, factor, write == Write::accumulate);
}

}  // namespace twinage::TWINAGE_GPU_NAMESPACE
