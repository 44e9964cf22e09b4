#include "kernels/pool/pool_isa.h"

#include "core/simd.h"

namespace twinage::TWINAGE_ISA_NAMESPACE {
namespace {

void largest(float* y, const float* x, PixelBox box, Index channels) {
  each_vector(channels, [=](auto v, Index c) {
    using V = decltype(v);
    auto most = V::load(x + c);
    for (Index r = 0; r < box.rows; ++r)
      for (Index s = 0; s < box.columns; ++s)
        most = V::max(V::load(x + r * box.row + s * box.ld + c), most);
    V::store(y + c, most);
  });
}

void to_largest(float* dx, PixelBox box, const float* dy, const float* x, Index x_ld, Index x_row,
                const float* y, Index channels) {
  each_vector(channels, [=](auto v, Index c) {
    using V = decltype(v);
    const auto most = V::load(y + c);
    auto left = V::load(dy + c);  // the gradient still to be handed out: 0 once given
    for (Index r = 0; r < box.rows; ++r)
      for (Index s = 0; s < box.columns; ++s) {
        float* to = dx + r * box.row + s * box.ld + c;
        const auto here = V::load(x + r * x_row + s * x_ld + c) == most;
        V::store(to, V::load(to) + (here ? left : V::all(0)));
        left = here ? V::all(0) : left;
      }
  });
}

void sum(float* y, const float* x, PixelBox box, Index channels, float factor, bool accumulate) {
  each_vector(channels, [=](auto v, Index c) {
    using V = decltype(v);
    auto total = V::all(0);
    for (Index r = 0; r < box.rows; ++r) {
      auto row = V::all(0);  // rows first: a global pool sums many pixels, and this rounds less
      for (Index s = 0; s < box.columns; ++s) row += V::load(x + r * box.row + s * box.ld + c);
      total += row;
    }
    total *= V::all(factor);
    V::store(y + c, accumulate ? V::load(y + c) + total : total);
  });
}

}  // namespace

const PoolKernels kPool = {largest, to_largest, sum};

}  // namespace twinage::TWINAGE_ISA_NAMESPACE
