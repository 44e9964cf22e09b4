// Which pixels a window has is decided here, once for each pixel of the output; pool_isa.cpp walks
// the window with vectors along the channels. A task writes a row of one image; of the backward of
// the maximum, which scatters, a band of rows.
#include <algorithm>

#include "core/isa.h"
#include "core/parallel.h"
#include "kernels/pool/pool.h"
#include "kernels/pool/pool_isa.h"
#include "kernels/pool/windows.h"

namespace twinage::cpu {
namespace {

const PoolKernels& kernels() {
  return pick_isa(baseline::kPool, avx2::kPool, avx512::kPool);
}

using Pixels = Span<Index>;  // or windows, of one axis

PixelBox box_of(ConstView x, Pixels rows, Pixels columns) {
  return {std::max<Index>(rows.size(), 0), std::max<Index>(columns.size(), 0), x.shape.w * x.ld,
          x.ld};
}

const float* at(ConstView x, Index n, Index h, Index w) {
  return x.pixel((n * x.shape.h + h) * x.shape.w + w);
}
float* at(View x, Index n, Index h, Index w) {
  return x.pixel((n * x.shape.h + h) * x.shape.w + w);
}

// Calls f(n, p) for every row of every image.
template <class F>
void for_rows(const Context& ctx, Shape y, F f) {
  parallel_for(ctx.threads, y.n * y.h, [&](Index task, int) { f(task / y.h, task % y.h); });
}

}  // namespace

void max_pool_forward(const Context& ctx, View y, ConstView x, Pool pool) {
  const auto largest = pick(kernels().largest, x, y);
  for_rows(ctx, y.shape, [&](Index n, Index p) {
    const Pixels rows = pixels_of_window(p, x.shape.h, pool);
    for (Index q = 0; q < y.shape.w; ++q) {
      const Pixels columns = pixels_of_window(q, x.shape.w, pool);
      largest(at(y, n, p, q), at(x, n, rows.first, columns.first), box_of(x, rows, columns),
              y.shape.c);
    }
  });
}

namespace {

void zero_rows(View dx, Index n, Pixels rows) {
  for (Index h = rows.first; h < rows.end; ++h)
    for (Index w = 0; w < dx.shape.w; ++w) std::fill_n(at(dx, n, h, w), dx.shape.c, 0.0F);
}

// Writes the rows `band` of image n of dx, from every window that reaches into them.
void max_pool_backward_band(View dx, ConstView dy, ConstView x, ConstView y, Index n, Pixels band,
                            Pool pool, Write write) {
  const PoolKernels& kernel = kernels();
  // Rows are zeroed just before the first window that writes to them, while they are needed.
  Index ready = write == Write::overwrite ? band.first : band.end;
  const Index first_window = windows_of_pixel(band.first, y.shape.h, pool).first;
  const Index end_window = windows_of_pixel(band.end - 1, y.shape.h, pool).end;
  for (Index p = first_window; p < end_window; ++p) {
    const Pixels rows = pixels_of_window(p, x.shape.h, pool);
    const Pixels written = {std::max(rows.first, band.first), std::min(rows.end, band.end)};
    zero_rows(dx, n, {ready, written.end});
    ready = std::max(ready, written.end);
    for (Index q = 0; q < y.shape.w; ++q) {
      const Pixels columns = pixels_of_window(q, x.shape.w, pool);
      kernel.to_largest(at(dx, n, rows.first, columns.first), box_of(dx, rows, columns),
                        written.first - rows.first, written.end - rows.first, at(dy, n, p, q),
                        at(x, n, rows.first, columns.first), x.ld, x.shape.w * x.ld, at(y, n, p, q),
                        y.shape.c);
    }
  }
  zero_rows(dx, n, {ready, band.end});  // rows that no window reaches
}

}  // namespace

void max_pool_backward(const Context& ctx, View dx, ConstView dy, ConstView x, ConstView y,
                       Pool pool, Write write) {
  constexpr Index kBand = 16;  // rows of a task: windows across its edges are looked at twice
  const Index bands = ceil_div(x.shape.h, kBand);
  parallel_for(ctx.threads, x.shape.n * bands, [&](Index task, int) {
    const Index first = task % bands * kBand;
    const Pixels band = {first, std::min(first + kBand, x.shape.h)};
    max_pool_backward_band(dx, dy, x, y, task / bands, band, pool, write);
  });
}

namespace {

// Windows of 3 x 3, one at every pixel: the average pooling of Inception's blocks. The transpose
// is the same sum, so forward and backward share it.
bool is_three_by_three(Pool pool) {
  return pool.window == 3 && pool.stride == 1 && pool.pad == 1;
}

float inverse_area(Pool pool) {
  return 1.0F / static_cast<float>(pool.window * pool.window);
}

// Row h of image n.
void sum_of_three(View y, ConstView x, Index n, Index h, Pool pool, bool accumulate) {
  const Pixels rows = pixels_of_window(h, x.shape.h, pool);
  const auto sum = pick(kernels().sum_of_three, x, y);
  sum(at(y, n, h, 0), y.ld, at(x, n, rows.first, 0), box_of(x, rows, {0, x.shape.w}), x.shape.c,
      inverse_area(pool), accumulate);
}

}  // namespace

void average_pool_forward(const Context& ctx, View y, ConstView x, Pool pool) {
  const auto sum = pick(kernels().sum, x, y);
  for_rows(ctx, y.shape, [&](Index n, Index p) {
    if (is_three_by_three(pool)) return sum_of_three(y, x, n, p, pool, false);
    const Pixels rows = pixels_of_window(p, x.shape.h, pool);
    for (Index q = 0; q < y.shape.w; ++q) {
      const Pixels columns = pixels_of_window(q, x.shape.w, pool);
      sum(at(y, n, p, q), at(x, n, rows.first, columns.first), box_of(x, rows, columns), y.shape.c,
          inverse_area(pool), false);
    }
  });
}

// Gathers: a pixel of dx takes its share from every window that contains it.
void average_pool_backward(const Context& ctx, View dx, ConstView dy, Pool pool, Write write) {
  const auto sum = pick(kernels().sum, dy, dx);
  const bool accumulate = write == Write::accumulate;
  for_rows(ctx, dx.shape, [&](Index n, Index h) {
    if (is_three_by_three(pool)) return sum_of_three(dx, dy, n, h, pool, accumulate);
    const Pixels rows = windows_of_pixel(h, dy.shape.h, pool);
    for (Index w = 0; w < dx.shape.w; ++w) {
      const Pixels columns = windows_of_pixel(w, dy.shape.w, pool);
      sum(at(dx, n, h, w), at(dy, n, rows.first, columns.first), box_of(dy, rows, columns),
          dx.shape.c, inverse_area(pool), accumulate);
    }
  });
}

void global_average_pool_forward(const Context& ctx, View y, ConstView x) {
  const auto sum = pick(kernels().sum, x, y);
  const float factor = 1.0F / static_cast<float>(x.shape.h * x.shape.w);
  parallel_for(ctx.threads, x.shape.n, [&](Index n, int) {
    sum(y.pixel(n), at(x, n, 0, 0), box_of(x, {0, x.shape.h}, {0, x.shape.w}), x.shape.c, factor,
        false);
  });
}

void global_average_pool_backward(const Context& ctx, View dx, ConstView dy, Write write) {
  const auto sum = pick(kernels().sum, dy, dx);
  const float factor = 1.0F / static_cast<float>(dx.shape.h * dx.shape.w);
  for_rows(ctx, dx.shape, [&](Index n, Index h) {
    for (Index w = 0; w < dx.shape.w; ++w)
      sum(at(dx, n, h, w), dy.pixel(n), box_of(dy, {0, 1}, {0, 1}), dx.shape.c, factor,
          write == Write::accumulate);
  });
}

}  // namespace twinage::cpu
