#include <algorithm>

#include "core/isa.h"
#include "core/parallel.h"
#include "kernels/tanh/tanh.h"
#include "kernels/tanh/tanh_isa.h"

namespace twinage::cpu {
namespace {

constexpr Index kTaskFloats = 16384;

const TanhKernels& kernels() {
  return pick_isa(baseline::kTanh, avx2::kTanh, avx512::kTanh);
}

// Calls f(pixel) for every pixel.
template <class F>
void for_pixels(const Context& ctx, Shape y, F f) {
  const Index step = ceil_div(kTaskFloats, y.c);
  parallel_for(ctx.threads, ceil_div(y.pixels(), step), [&](Index task, int) {
    for (Index p = task * step; p < std::min(y.pixels(), (task + 1) * step); ++p) f(p);
  });
}

}  // namespace

void tanh_forward(const Context& ctx, View y, ConstView x) {
  for_pixels(ctx, y.shape, [&](Index p) { kernels().forward(y.pixel(p), x.pixel(p), y.shape.c); });
}

void tanh_backward(const Context& ctx, View dx, ConstView dy, ConstView y) {
  for_pixels(ctx, y.shape,
             [&](Index p) { kernels().backward(dx.pixel(p), dy.pixel(p), y.pixel(p), y.shape.c); });
}

}  // namespace twinage::cpu
