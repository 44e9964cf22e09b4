// Every transform is a matrix from both sides: over the columns first, then over the rows, which is
// why each has a function of one row or column (`along`), with common terms formed once.
#include "kernels/conv2d/winograd_isa.h"

#include "core/simd_bf16.h"

namespace twinage::cpu::TWINAGE_ISA_NAMESPACE {
namespace {

constexpr int kOut = kWinogradOutputs, kIn = kWinogradInputs, kTaps = 3;

// Channel c of a pixel.
struct Floats {
  template <class V>
  static TWINAGE_INLINE typename V::Value load(const float* pixel, std::ptrdiff_t c) {
    return V::load(pixel + c);
  }
  template <class V>
  static TWINAGE_INLINE void store(float* pixel, std::ptrdiff_t c, typename V::Value value) {
    V::store(pixel + c, value);
  }
};
struct Rounded {
  template <class V>
  static TWINAGE_INLINE typename V::Value load(const float* pixel, std::ptrdiff_t c) {
    return rounded_to_bf16<V::width>(V::load(pixel + c));
  }
};
struct Bf16 {
  template <class V>
  static TWINAGE_INLINE typename V::Value load(const float* pixel, std::ptrdiff_t c) {
    return Halves<V::width>::load(pixel, c);
  }
  template <class V>
  static TWINAGE_INLINE void store(float* pixel, std::ptrdiff_t c, typename V::Value value) {
    Halves<V::width>::store(pixel, c, value);
  }
};

// B' d
template <class Value>
TWINAGE_INLINE void input_along(const Value d[kIn], Value v[kIn]) {
  const Value even = d[4] - 4.0F * d[2], odd = d[3] - 4.0F * d[1];
  const Value even2 = d[4] - d[2], odd2 = 2.0F * (d[3] - d[1]);
  v[0] = 4.0F * d[0] - 5.0F * d[2] + d[4];
  v[1] = even + odd;
  v[2] = even - odd;
  v[3] = even2 + odd2;
  v[4] = even2 - odd2;
  v[5] = 4.0F * d[1] - 5.0F * d[3] + d[5];
}

// G g
template <class Value>
TWINAGE_INLINE void filter_along(const Value g[kTaps], Value u[kIn]) {
  const Value outer = (g[0] + g[2]) * (-1.0F / 6), inner = g[1] * (1.0F / 6);
  const Value outer2 = g[0] * (1.0F / 24) + g[2] * (1.0F / 6), inner2 = g[1] * (1.0F / 12);
  u[0] = g[0] * 0.25F;
  u[1] = outer - inner;
  u[2] = outer + inner;
  u[3] = outer2 + inner2;
  u[4] = outer2 - inner2;
  u[5] = g[2];
}

// A' m
template <class Value>
TWINAGE_INLINE void output_along(const Value m[kIn], Value y[kOut]) {
  const Value sum = m[1] + m[2], difference = m[1] - m[2];
  const Value sum2 = m[3] + m[4], difference2 = m[3] - m[4];
  y[0] = m[0] + sum + sum2;
  y[1] = difference + 2.0F * difference2;
  y[2] = sum + 4.0F * sum2;
  y[3] = difference + 8.0F * difference2 + m[5];
}

template <class X, bool Whole>
TWINAGE_INLINE void input_of(float* to, std::ptrdiff_t position_pitch, const WinogradInput& d,
                             std::ptrdiff_t channels) {
  each_vector(channels, [=](auto v, std::ptrdiff_t c) {
    using V = decltype(v);
    using Value = typename V::Value;
    Value columns[kIn][kIn];  // [row of B' d][column]
    TWINAGE_UNROLL for (int j = 0; j < kIn; ++j) {
      Value column[kIn], out[kIn];
      TWINAGE_UNROLL for (int i = 0; i < kIn; ++i) {
        const bool inside = Whole || (i >= d.top && i < d.bottom && j >= d.left && j < d.right);
        column[i] = inside ? X::template load<V>(d.x + i * d.row_pitch + j * d.ld, c) : Value{};
      }
      input_along(column, out);
      TWINAGE_UNROLL for (int i = 0; i < kIn; ++i) columns[i][j] = out[i];
    }
    TWINAGE_UNROLL for (int i = 0; i < kIn; ++i) {
      Value row[kIn];
      input_along(columns[i], row);
      TWINAGE_UNROLL for (int j = 0; j < kIn; ++j)
          V::store(to + (i * kIn + j) * position_pitch + c, row[j]);
    }
  });
}

template <class X>
void input(float* to, std::ptrdiff_t position_pitch, const WinogradInput& d,
           std::ptrdiff_t channels) {
  if (d.top == 0 && d.left == 0 && d.bottom == kIn && d.right == kIn)
    input_of<X, true>(to, position_pitch, d, channels);
  else
    input_of<X, false>(to, position_pitch, d, channels);
}

template <class G>
void filter(float* to, std::ptrdiff_t position_pitch, const float* g, std::ptrdiff_t row_pitch,
            std::ptrdiff_t tap_pitch, std::ptrdiff_t channels) {
  each_vector(channels, [=](auto v, std::ptrdiff_t c) {
    using V = decltype(v);
    using Value = typename V::Value;
    Value columns[kIn][kTaps];
    TWINAGE_UNROLL for (int s = 0; s < kTaps; ++s) {
      Value column[kTaps], out[kIn];
      TWINAGE_UNROLL for (int r = 0; r < kTaps; ++r) column[r] =
          G::template load<V>(g + r * row_pitch + s * tap_pitch, c);
      filter_along(column, out);
      TWINAGE_UNROLL for (int i = 0; i < kIn; ++i) columns[i][s] = out[i];
    }
    TWINAGE_UNROLL for (int i = 0; i < kIn; ++i) {
      Value row[kIn];
      filter_along(columns[i], row);
      TWINAGE_UNROLL for (int j = 0; j < kIn; ++j)
          V::store(to + (i * kIn + j) * position_pitch + c, row[j]);
    }
  });
}

// Merges mean and M2 of `pixels` values into those of channels c, c + 1, ...
template <class V>
TWINAGE_INLINE void merge(const WinogradOutput& tile, std::ptrdiff_t c,
                          const typename V::Value y[kOut][kOut]) {
  using Value = typename V::Value;
  Value mean = {}, m2 = {};
  for (int i = 0; i < tile.rows; ++i)
    for (int j = 0; j < tile.columns; ++j) mean += y[i][j];
  mean *= V::all(1.0F / static_cast<float>(tile.rows * tile.columns));
  for (int i = 0; i < tile.rows; ++i)
    for (int j = 0; j < tile.columns; ++j) m2 += (y[i][j] - mean) * (y[i][j] - mean);
  const Value before = V::load(tile.mean + c), delta = mean - before;
  V::store(tile.mean + c, before + delta * V::all(tile.share));
  V::store(tile.m2 + c, V::load(tile.m2 + c) + m2 + delta * delta * V::all(tile.weight));
}

template <class Y>
void output(const WinogradOutput& tile, std::ptrdiff_t channels) {
  each_vector(channels, [=, &tile](auto v, std::ptrdiff_t c) {
    using V = decltype(v);
    using Value = typename V::Value;
    Value columns[kOut][kIn], y[kOut][kOut];
    TWINAGE_UNROLL for (int j = 0; j < kIn; ++j) {
      Value column[kIn], out[kOut];
      TWINAGE_UNROLL for (int i = 0; i < kIn; ++i) column[i] =
          V::load(tile.sums + (i * kIn + j) * tile.position_pitch + c);
      output_along(column, out);
      TWINAGE_UNROLL for (int i = 0; i < kOut; ++i) columns[i][j] = out[i];
    }
    TWINAGE_UNROLL for (int i = 0; i < kOut; ++i) output_along(columns[i], y[i]);
    if (tile.mean != nullptr) merge<V>(tile, c, y);
    const Value bias = tile.bias != nullptr ? V::load(tile.bias + c) : Value{};
    for (int i = 0; i < tile.rows; ++i)
      for (int j = 0; j < tile.columns; ++j) {
        float* to = tile.y + i * tile.row_pitch + j * tile.ld;
        Value out = y[i][j] + bias;
        if (tile.accumulate) out += V::load(to + c);  // floats
        if (tile.relu) out = V::max(out, Value{});
        Y::template store<V>(to, c, out);
      }
  });
}

}  // namespace

const WinogradTransforms kWinograd = {{input<Floats>, input<Rounded>, input<Bf16>},
                                      {filter<Floats>, filter<Rounded>},
                                      {output<Floats>, output<Bf16>}};

}  // namespace twinage::cpu::TWINAGE_ISA_NAMESPACE
