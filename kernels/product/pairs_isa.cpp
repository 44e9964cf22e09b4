// Products of bf16, and the pairs that they read (product/tiles.h). Compiled once more than other
// *_isa.cpp files: with AVX-512-BF16, where one instruction (vdpbf16ps) multiplies and adds a
// vector of pairs. It adds the second of a pair first, as two fused multiply-adds that round to
// nearest even; subnormal numbers count as zero, coming in and going out; the mode of rounding and
// the flags of the processor play no part (Intel, Software Developer's Manual, VDPBF16PS). The
// other instruction sets compute the same in the same order, but keep subnormal numbers. A product
// of two bf16 has 16 bits: it is exact in float32.
#include "core/simd_bf16.h"
#include "kernels/product/tiles_isa.h"

#ifdef __AVX512BF16__
#include <immintrin.h>
#endif

namespace twinage::cpu::TWINAGE_ISA_NAMESPACE {
namespace {

template <int N>
struct Pairs {
  using Operand = typename Words<N>::Value;
  using Sum = typename Vec<N>::Value;
  static constexpr int width = N;
  static constexpr bool stores_bf16 = true;

  static TWINAGE_INLINE Operand load(const float* p) { return Words<N>::load(p); }
  static TWINAGE_INLINE Operand all(const float* p) { return Words<N>::all(p); }
  static TWINAGE_INLINE void add(Sum& sum, Operand a, Operand b) {
#ifdef __AVX512BF16__
    if constexpr (N == 16)
      sum = (Sum)_mm512_dpbf16_ps((__m512)sum, (__m512bh)a, (__m512bh)b);
    else
      sum = (Sum)_mm256_dpbf16_ps((__m256)sum, (__m256bh)a, (__m256bh)b);
#else
    sum += (Sum)(a & 0xFFFF0000U) * (Sum)(b & 0xFFFF0000U);
    sum += (Sum)(a << 16) * (Sum)(b << 16);
#endif
  }
  // As N / 2 pairs.
  static TWINAGE_INLINE void store_bf16(float* p, Sum v) {
#ifdef __AVX512BF16__
    if constexpr (N == 16)
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), (__m256i)_mm512_cvtneps_pbh((__m512)v));
    else
      _mm_storeu_si128(reinterpret_cast<__m128i*>(p), (__m128i)_mm256_cvtneps_pbh((__m256)v));
#else
    Halves<N>::store(p, 0, v);
#endif
  }
};

template <int N>
TWINAGE_INLINE void store_pairs(float* to, typename Words<N>::Value first,
                                typename Words<N>::Value second) {
  Words<N>::store(to, rounded_words(first) >> 16 | (rounded_words(second) & 0xFFFF0000U));
}

// Every second element of two vectors, from the first or the second on.
template <int First, class Value, int... I>
TWINAGE_INLINE Value every_second(Value a, Value b, std::integer_sequence<int, I...>) {
  return __builtin_shufflevector(a, b, (2 * I + First)...);
}

// to[j] = the pair (from[2 j], from[2 j + 1]).
TWINAGE_INLINE void round_row(float* to, const float* from, std::ptrdiff_t columns) {
  constexpr int N = TWINAGE_VECTOR_FLOATS;
  std::ptrdiff_t j = 0;
  for (; j + 2 * N <= columns; j += 2 * N) {
#ifdef __AVX512BF16__
    const auto pairs =
        _mm512_cvtne2ps_pbh(_mm512_loadu_ps(from + j + N), _mm512_loadu_ps(from + j));
    _mm512_storeu_si512(to + j / 2, (__m512i)pairs);
#else
    constexpr auto lanes = std::make_integer_sequence<int, N>{};
    const auto a = Words<N>::load(from + j), b = Words<N>::load(from + j + N);
    store_pairs<N>(to + j / 2, every_second<0>(a, b, lanes), every_second<1>(a, b, lanes));
#endif
  }
  for (; j + 1 < columns; j += 2)
    store_pairs<1>(to + j / 2, Words<1>::load(from + j), Words<1>::load(from + j + 1));
  if (j < columns) store_pairs<1>(to + j / 2, Words<1>::load(from + j), Words<1>::Value{});
}

void round(float* to, std::ptrdiff_t to_pitch, const float* from, std::ptrdiff_t from_pitch,
           std::ptrdiff_t rows, std::ptrdiff_t columns) {
  if (from_pitch == columns && columns % 2 == 0 && to_pitch == columns / 2)
    return round_row(to, from, rows * columns);
  for (std::ptrdiff_t i = 0; i < rows; ++i)
    round_row(to + i * to_pitch, from + i * from_pitch, columns);
}

void join(float* to, const float* first, const float* second, std::ptrdiff_t count) {
  each_vector(count, [=](auto v, std::ptrdiff_t j) {
    using W = Words<decltype(v)::width>;
    store_pairs<decltype(v)::width>(to + j, W::load(first + j),
                                    second != nullptr ? W::load(second + j) : typename W::Value{});
  });
}

void gather(float* to, std::ptrdiff_t to_pitch, std::ptrdiff_t to_columns, const float* from,
            const std::int32_t* first, const std::int32_t* second, std::ptrdiff_t rows,
            std::ptrdiff_t columns) {
  for (std::ptrdiff_t i = 0; i < rows; ++i, to += to_pitch) {
    join(to, from + first[i], second[i] >= 0 ? from + second[i] : nullptr, columns);
    for (std::ptrdiff_t j = columns; j < to_columns; ++j) to[j] = 0;
  }
}

}  // namespace

extern const Tiles wide_pairs, narrow_pairs;
const Tiles wide_pairs = kWide<Pairs>, narrow_pairs = kNarrow<Pairs>;
extern const PairMovers pair_movers;
const PairMovers pair_movers = {round, join, gather};

}  // namespace twinage::cpu::TWINAGE_ISA_NAMESPACE
