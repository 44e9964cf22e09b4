// Vectors of bf16 (core/bf16.h) in memory, float32 in registers. Only for *_isa.cpp files, as
// core/simd.h.
#pragma once
#include "core/simd.h"

#ifdef __AVX2__
#include <immintrin.h>
#endif

namespace twinage {

template <int N>
struct Words {
  typedef std::uint32_t Value __attribute__((vector_size(N * 4)));
  typedef std::uint32_t Unaligned __attribute__((vector_size(N * 4), aligned(4), may_alias));
  typedef std::uint32_t One __attribute__((may_alias));

  static TWINAGE_INLINE Value load(const float* p) {
    return *reinterpret_cast<const Unaligned*>(p);
  }
  static TWINAGE_INLINE void store(float* p, Value v) { *reinterpret_cast<Unaligned*>(p) = v; }
  static TWINAGE_INLINE Value all(const float* p) {
    return *reinterpret_cast<const One*>(p) + Value{};
  }
};

// The nearest bf16 in the upper half of each word; the lower half is to be cut off.
template <class Value>
TWINAGE_INLINE Value rounded_words(Value bits) {
  const Value nan = (Value)((bits & 0x7FFFFFFFU) > 0x7F800000U);
  return (nan & (bits | 0x400000U)) | (~nan & (bits + 0x7FFFU + (bits >> 16 & 1U)));
}

// The nearest bf16, as float32.
template <int N>
TWINAGE_INLINE typename Vec<N>::Value rounded_to_bf16(typename Vec<N>::Value v) {
  return (typename Vec<N>::Value)(rounded_words((typename Words<N>::Value)v) & 0xFFFF0000U);
}

// N neighbouring bf16, of which the first is number `first` counted from the memory's start. (Where
// instructions are named, compilers take five in their place.)
template <int N>
struct Halves {
  typedef std::uint16_t Value __attribute__((vector_size(N * 2)));
  typedef std::uint16_t Unaligned __attribute__((vector_size(N * 2), aligned(2), may_alias));

  static TWINAGE_INLINE typename Vec<N>::Value load(const float* memory, std::int64_t first) {
    const Value halves =
        *reinterpret_cast<const Unaligned*>(reinterpret_cast<const char*>(memory) + 2 * first);
    return (typename Vec<N>::Value)(widened(halves) << 16);
  }
  // Rounded to the nearest.
  static TWINAGE_INLINE void store(float* memory, std::int64_t first, typename Vec<N>::Value v) {
    *reinterpret_cast<Unaligned*>(reinterpret_cast<char*>(memory) + 2 * first) =
        narrowed(rounded_words((typename Words<N>::Value)v) >> 16);
  }

 private:
  using Wide = typename Words<N>::Value;
  // With a mask that hides nothing: g++ 12 warns of its own header's other forms.
  static constexpr std::uint16_t kAll = 0xFFFF;

  static TWINAGE_INLINE Wide widened(Value halves) {
#ifdef __AVX512F__
    if constexpr (N == 16) return (Wide)_mm512_maskz_cvtepu16_epi32(kAll, (__m256i)halves);
#endif
#ifdef __AVX2__
    if constexpr (N == 8) return (Wide)_mm256_cvtepu16_epi32((__m128i)halves);
#endif
    return __builtin_convertvector(halves, Wide);
  }
  static TWINAGE_INLINE Value narrowed(Wide words) {
#ifdef __AVX512F__
    if constexpr (N == 16) return (Value)_mm512_maskz_cvtepi32_epi16(kAll, (__m512i)words);
    if constexpr (N == 8) return (Value)_mm256_cvtepi32_epi16((__m256i)words);
#endif
    return __builtin_convertvector(words, Value);
  }
};

}  // namespace twinage
