// Packing and unpacking: the same data in the order in which a micro-kernel reads it.
#include <utility>

#include "core/simd.h"
#include "kernels/product/tiles.h"

namespace twinage::cpu::TWINAGE_ISA_NAMESPACE {
namespace {

constexpr int N = TWINAGE_VECTOR_FLOATS;

TWINAGE_INLINE void copy_row(float* to, std::ptrdiff_t to_columns, const float* from,
                             std::ptrdiff_t columns) {
  std::ptrdiff_t j = 0;
  for (; j + N <= columns; j += N) Vec<N>::store(to + j, Vec<N>::load(from + j));
  for (; j < columns; ++j) to[j] = from[j];
  for (; j < to_columns; ++j) to[j] = 0;
}

void copy(float* to, std::ptrdiff_t to_pitch, std::ptrdiff_t to_columns, const float* from,
          std::ptrdiff_t from_pitch, std::ptrdiff_t rows, std::ptrdiff_t columns) {
  for (std::ptrdiff_t i = 0; i < rows; ++i)
    copy_row(to + i * to_pitch, to_columns, from + i * from_pitch, columns);
}

void gather(float* to, std::ptrdiff_t to_columns, const float* from, const std::int32_t* offsets,
            std::ptrdiff_t rows, std::ptrdiff_t columns) {
  for (std::ptrdiff_t i = 0; i < rows; ++i)
    copy_row(to + i * to_columns, to_columns, from + offsets[i], columns);
}

// a0 b0 a1 b1 ... of the lower (First = 0) or upper (First = W / 2) halves of a and b.
template <int W, int First, int... I>
TWINAGE_INLINE typename Vec<W>::Value interleave(typename Vec<W>::Value a, typename Vec<W>::Value b,
                                                 std::integer_sequence<int, I...>) {
  return __builtin_shufflevector(a, b, (First + I / 2 + I % 2 * W)...);
}

// A W x W block: log2(W) rounds of interleaving row i with row i + W / 2 transpose it.
template <int W>
TWINAGE_INLINE void transpose_block(float* to, std::ptrdiff_t to_pitch, const float* from,
                                    std::ptrdiff_t from_pitch, bool accumulate) {
  using V = Vec<W>;
  constexpr auto lanes = std::make_integer_sequence<int, W>{};
  typename V::Value row[W], next[W];
  TWINAGE_UNROLL for (int i = 0; i < W; ++i) row[i] = V::load(from + i * from_pitch);
  TWINAGE_UNROLL for (int round = 1; round < W; round *= 2) {
    TWINAGE_UNROLL for (int i = 0; i < W / 2; ++i) {
      next[2 * i] = interleave<W, 0>(row[i], row[i + W / 2], lanes);
      next[2 * i + 1] = interleave<W, W / 2>(row[i], row[i + W / 2], lanes);
    }
    TWINAGE_UNROLL for (int i = 0; i < W; ++i) row[i] = next[i];
  }
  TWINAGE_UNROLL for (int j = 0; j < W; ++j) {
    float* column = to + j * to_pitch;
    V::store(column, accumulate ? V::load(column) + row[j] : row[j]);
  }
}

// Whole W x W blocks; what is left on the right and below by smaller ones, at last by single
// numbers.
template <int W>
void transpose_with(float* to, std::ptrdiff_t to_pitch, const float* from,
                    std::ptrdiff_t from_pitch, std::ptrdiff_t rows, std::ptrdiff_t columns,
                    bool accumulate) {
  if constexpr (W < 4) {
    for (std::ptrdiff_t j = 0; j < columns; ++j)
      for (std::ptrdiff_t i = 0; i < rows; ++i) {
        float& value = to[j * to_pitch + i];
        value = accumulate ? value + from[i * from_pitch + j] : from[i * from_pitch + j];
      }
  } else {
    const std::ptrdiff_t whole_rows = rows - rows % W, whole_columns = columns - columns % W;
    for (std::ptrdiff_t j = 0; j < whole_columns; j += W)
      for (std::ptrdiff_t i = 0; i < whole_rows; i += W)
        transpose_block<W>(to + j * to_pitch + i, to_pitch, from + i * from_pitch + j, from_pitch,
                           accumulate);
    transpose_with<W / 2>(to + whole_columns * to_pitch, to_pitch, from + whole_columns, from_pitch,
                          whole_rows, columns - whole_columns, accumulate);
    transpose_with<W / 2>(to + whole_rows, to_pitch, from + whole_rows * from_pitch, from_pitch,
                          rows - whole_rows, columns, accumulate);
  }
}

void transpose(float* to, std::ptrdiff_t to_pitch, const float* from, std::ptrdiff_t from_pitch,
               std::ptrdiff_t rows, std::ptrdiff_t columns, bool accumulate) {
  transpose_with<N>(to, to_pitch, from, from_pitch, rows, columns, accumulate);
}

void add(float* sum, const float* term, std::ptrdiff_t count) {
  for (std::ptrdiff_t i = 0; i < count; ++i) sum[i] += term[i];
}

}  // namespace

extern const Movers movers;
const Movers movers = {copy, gather, transpose, add};

}  // namespace twinage::cpu::TWINAGE_ISA_NAMESPACE
