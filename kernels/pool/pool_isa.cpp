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

void to_largest(float* dx, PixelBox box, Index first_row, Index end_row, const float* dy,
                const float* x, Index x_ld, Index x_row, const float* y, Index channels) {
  each_vector(channels, [=](auto v, Index c) {
    using V = decltype(v);
    const auto most = V::load(y + c);
    auto left = V::load(dy + c);  // the gradient still to be handed out: 0 once given
    for (Index r = 0; r < end_row; ++r)
      for (Index s = 0; s < box.columns; ++s) {
        const auto here = V::load(x + r * x_row + s * x_ld + c) == most;
        if (r >= first_row) {
          float* to = dx + r * box.row + s * box.ld + c;
          V::store(to, V::load(to) + (here ? left : V::all(0)));
        }
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

// Channels [c, c + kVectors * width) of a row of windows; the sums of three columns in registers.
template <class V, int kVectors>
TWINAGE_INLINE void sum_of_three_at(float* y, Index y_ld, const float* x, PixelBox box,
                                    float factor, bool accumulate) {
  typename V::Value left[kVectors] = {}, middle[kVectors] = {}, right[kVectors];
  for (Index q = -1; q < box.columns; ++q) {  // right is column q + 1
    TWINAGE_UNROLL
    for (int i = 0; i < kVectors; ++i) right[i] = V::all(0);
    if (q + 1 < box.columns)
      for (Index r = 0; r < box.rows; ++r) {
        TWINAGE_UNROLL
        for (int i = 0; i < kVectors; ++i)
          right[i] += V::load(x + r * box.row + (q + 1) * box.ld + i * V::width);
      }
    TWINAGE_UNROLL
    for (int i = 0; i < kVectors; ++i) {
      if (q >= 0) {
        float* to = y + q * y_ld + i * V::width;
        const auto total = (left[i] + middle[i] + right[i]) * V::all(factor);
        V::store(to, accumulate ? V::load(to) + total : total);
      }
      left[i] = middle[i];
      middle[i] = right[i];
    }
  }
}

void sum_of_three(float* y, Index y_ld, const float* x, PixelBox box, Index channels, float factor,
                  bool accumulate) {
  using Widest = Vec<TWINAGE_VECTOR_FLOATS>;
  constexpr int kVectors = 4;
  constexpr Index kGroup = kVectors * Widest::width;
  Index done = 0;
  for (; done + kGroup <= channels; done += kGroup)
    sum_of_three_at<Widest, kVectors>(y + done, y_ld, x + done, box, factor, accumulate);
  each_vector(channels - done, [=](auto v, Index c) {
    sum_of_three_at<decltype(v), 1>(y + done + c, y_ld, x + done + c, box, factor, accumulate);
  });
}

}  // namespace

const PoolKernels kPool = {largest, to_largest, sum, sum_of_three};

}  // namespace twinage::TWINAGE_ISA_NAMESPACE
