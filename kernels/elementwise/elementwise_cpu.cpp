// All of these wait for memory, not for arithmetic: loops that the compiler vectorises for the
// baseline are as fast as memory on a tensor larger than the cache, so there is no copy for each
// instruction set.
#include <algorithm>
#include <atomic>
#include <bit>
#include <cstring>

#include "core/parallel.h"
#include "kernels/elementwise/elementwise.h"

namespace twinage::cpu {
namespace {

constexpr Index kTaskFloats =
    32768;  // 128 kB: long against starting a task, short against a tensor

// Calls f(y, x, count) for runs of consecutive floats that together are the two views: whole
// pieces where both are contiguous, single pixels otherwise.
template <class F>
void for_runs(const Context& ctx, View y, ConstView x, F f) {
  const Index c = y.shape.c;
  if (y.contiguous() && x.contiguous()) {
    const Index size = y.shape.size();
    parallel_for(ctx.threads, ceil_div(size, kTaskFloats), [&](Index task, int) {
      const Index first = task * kTaskFloats;
      f(y.data + first, x.data + first, std::min(kTaskFloats, size - first));
    });
    return;
  }
  const Index pixels = y.shape.pixels();
  const Index step = ceil_div(kTaskFloats, c);
  parallel_for(ctx.threads, ceil_div(pixels, step), [&](Index task, int) {
    const Index end = std::min(pixels, (task + 1) * step);
    for (Index p = task * step; p < end; ++p) f(y.pixel(p), x.pixel(p), c);
  });
}

}  // namespace

void fill(const Context& ctx, View y, float value) {
  for_runs(ctx, y, y,
           [value](float* to, const float*, Index count) { std::fill_n(to, count, value); });
}

void copy(const Context& ctx, View y, ConstView x) {
  for_runs(ctx, y, x, [](float* to, const float* from, Index count) {
    std::memmove(to, from, static_cast<std::size_t>(count) * sizeof(float));
  });
}

void add(const Context& ctx, View y, ConstView x) {
  for_runs(ctx, y, x, [](float* to, const float* from, Index count) {
    for (Index i = 0; i < count; ++i) to[i] += from[i];
  });
}

void multiply(const Context& ctx, View y, ConstView a, ConstView b) {
  const Index pixels = y.shape.pixels(), channels = y.shape.c;
  const Index step = ceil_div(kTaskFloats, channels);
  parallel_for(ctx.threads, ceil_div(pixels, step), [&](Index task, int) {
    const Index end = std::min(pixels, (task + 1) * step);
    for (Index p = task * step; p < end; ++p) {
      float* row = y.pixel(p);
      const float *left = a.pixel(p), *right = b.pixel(p);
      for (Index c = 0; c < channels; ++c) row[c] = left[c] * right[c];
    }
  });
}

void add_bias(const Context& ctx, View y, const float* bias) {
  const Index pixels = y.shape.pixels(), channels = y.shape.c;
  const Index step = ceil_div(kTaskFloats, channels);
  parallel_for(ctx.threads, ceil_div(pixels, step), [&](Index task, int) {
    const Index end = std::min(pixels, (task + 1) * step);
    for (Index p = task * step; p < end; ++p) {
      float* row = y.pixel(p);
      for (Index c = 0; c < channels; ++c) row[c] += bias[c];
    }
  });
}

// A task owns a group of channels and walks all pixels in order, so no partial sums are needed.
void sum_pixels(const Context& ctx, float* sum, ConstView x) {
  constexpr Index kGroup = 64;
  parallel_for(ctx.threads, ceil_div(x.shape.c, kGroup), [&](Index task, int) {
    const Index first = task * kGroup;
    const Index count = std::min(kGroup, x.shape.c - first);
    double total[kGroup] = {};
    for (Index p = 0; p < x.shape.pixels(); ++p) {
      const float* row = x.pixel(p) + first;
      for (Index c = 0; c < count; ++c) total[c] += static_cast<double>(row[c]);
    }
    for (Index c = 0; c < count; ++c)
      sum[first + c] = static_cast<float>(static_cast<double>(sum[first + c]) + total[c]);
  });
}

void scale_rows(const Context& ctx, View y, ConstView x, const float* scale) {
  parallel_for(ctx.threads, y.shape.n, [&](Index n, int) {
    const float s = scale[n];
    const View yn = y.images(n, 1);
    const ConstView xn = x.images(n, 1);
    for (Index p = 0; p < yn.shape.pixels(); ++p) {
      float* to = yn.pixel(p);
      const float* from = xn.pixel(p);
      for (Index c = 0; c < yn.shape.c; ++c) to[c] = from[c] * s;
    }
  });
}

void lerp(const Context& ctx, View y, ConstView x, float share) {
  for_runs(ctx, y, x, [share](float* to, const float* from, Index count) {
    for (Index i = 0; i < count; ++i) to[i] += share * (from[i] - to[i]);
  });
}

bool all_finite(const Context& ctx, ConstView x) {
  constexpr std::uint32_t kExponent = 0x7f800000;  // all ones: infinity or NaN
  std::atomic<bool> finite{true};
  // for_runs walks two views; nothing is written through this one.
  const View walk{const_cast<float*>(x.data), x.shape, x.ld};
  for_runs(ctx, walk, x, [&](float*, const float* from, Index count) {
    std::uint32_t found = 0;
    for (Index i = 0; i < count; ++i)
      found |= (std::bit_cast<std::uint32_t>(from[i]) & kExponent) == kExponent ? 1U : 0U;
    if (found != 0) finite = false;
  });
  return finite;
}

}  // namespace twinage::cpu
