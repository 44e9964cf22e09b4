#include "kernels/pool/pool_isa.h"

#include "core/simd_bf16.h"

namespace twinage::TWINAGE_ISA_NAMESPACE {
namespace {

// Channel c of a pixel: of float32, or of bf16.
struct Floats {
  template <class V>
  static TWINAGE_INLINE typename V::Value load(const float* pixel, Index c) {
    return V::load(pixel + c);
  }
  template <class V>
  static TWINAGE_INLINE void store(float* pixel, Index c, typename V::Value value) {
    V::store(pixel + c, value);
  }
  static TWINAGE_INLINE void prefetch(const float* pixel, Index c) {
    __builtin_prefetch(pixel + c);
  }
};
struct Bf16 {
  template <class V>
  static TWINAGE_INLINE typename V::Value load(const float* pixel, Index c) {
    return Halves<V::width>::load(pixel, c);
  }
  template <class V>
  static TWINAGE_INLINE void store(float* pixel, Index c, typename V::Value value) {
    Halves<V::width>::store(pixel, c, value);
  }
  static TWINAGE_INLINE void prefetch(const float* pixel, Index c) {
    __builtin_prefetch(pixel + c / 2);
  }
};

template <class X, class Y>
void largest(float* y, const float* x, PixelBox box, Index channels) {
  each_vector(channels, [=](auto v, Index c) {
    using V = decltype(v);
    auto most = X::template load<V>(x, c);
    for (Index r = 0; r < box.rows; ++r)
      for (Index s = 0; s < box.columns; ++s)
        most = V::max(X::template load<V>(x + r * box.row + s * box.ld, c), most);
    Y::template store<V>(y, c, most);
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

template <class X, class Y>
void sum(float* y, const float* x, PixelBox box, Index channels, float factor, bool accumulate) {
  each_vector(channels, [=](auto v, Index c) {
    using V = decltype(v);
    auto total = V::all(0);
    for (Index r = 0; r < box.rows; ++r) {
      auto row = V::all(0);  // rows first: a global pool sums many pixels, and this rounds less
      for (Index s = 0; s < box.columns; ++s)
        row += X::template load<V>(x + r * box.row + s * box.ld, c);
      total += row;
    }
    total *= V::all(factor);
    if (accumulate) total += Y::template load<V>(y, c);
    Y::template store<V>(y, c, total);
  });
}

// kVectors vectors of a row of windows from channel c on; the sums of three columns in registers.
// From column to column the addresses jump by a pixel, which the processor does not foresee.
constexpr Index kAhead = 4;  // columns
template <class X, class Y, class V, int kVectors>
TWINAGE_INLINE void sum_of_three_at(float* y, Index y_ld, const float* x, PixelBox box, Index c,
                                    float factor, bool accumulate) {
  typename V::Value left[kVectors] = {}, middle[kVectors] = {}, right[kVectors];
  for (Index q = -1; q < box.columns; ++q) {  // right is column q + 1
    TWINAGE_UNROLL
    for (int i = 0; i < kVectors; ++i) right[i] = V::all(0);
    if (q + 1 < box.columns)
      for (Index r = 0; r < box.rows; ++r) {
        const float* column = x + r * box.row + (q + 1) * box.ld;
        TWINAGE_UNROLL
        for (int i = 0; i < kVectors; ++i) {
          X::prefetch(column + kAhead * box.ld, c + i * V::width);
          right[i] += X::template load<V>(column, c + i * V::width);
        }
      }
    TWINAGE_UNROLL
    for (int i = 0; i < kVectors; ++i) {
      if (q >= 0) {
        float* to = y + q * y_ld;
        auto total = (left[i] + middle[i] + right[i]) * V::all(factor);
        if (accumulate) total += Y::template load<V>(to, c + i * V::width);
        Y::template store<V>(to, c + i * V::width, total);
      }
      left[i] = middle[i];
      middle[i] = right[i];
    }
  }
}

template <class X, class Y>
void sum_of_three(float* y, Index y_ld, const float* x, PixelBox box, Index channels, float factor,
                  bool accumulate) {
  using Widest = Vec<TWINAGE_VECTOR_FLOATS>;
  constexpr int kVectors = 4;
  constexpr Index kGroup = kVectors * Widest::width;
  Index done = 0;
  for (; done + kGroup <= channels; done += kGroup)
    sum_of_three_at<X, Y, Widest, kVectors>(y, y_ld, x, box, done, factor, accumulate);
  each_vector(channels - done, [=](auto v, Index c) {
    sum_of_three_at<X, Y, decltype(v), 1>(y, y_ld, x, box, done + c, factor, accumulate);
  });
}

}  // namespace

const PoolKernels kPool = {
    {{largest<Floats, Floats>, largest<Floats, Bf16>},
     {largest<Bf16, Floats>, largest<Bf16, Bf16>}},
    to_largest,
    {{sum<Floats, Floats>, sum<Floats, Bf16>}, {sum<Bf16, Floats>, sum<Bf16, Bf16>}},
    {{sum_of_three<Floats, Floats>, sum_of_three<Floats, Bf16>},
     {sum_of_three<Bf16, Floats>, sum_of_three<Bf16, Bf16>}},
};

}  // namespace twinage::TWINAGE_ISA_NAMESPACE
