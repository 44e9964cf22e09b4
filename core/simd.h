// Vectors of N floats with GCC's and Clang's vector extensions: `acc += q * b` is one fused
// multiply-add where the instruction set has it. Only for *_isa.cpp files: every function is
// always_inline, so no copy of it can leak into code for another instruction set.
#pragma once
#include <cstdint>

#define TWINAGE_INLINE inline __attribute__((always_inline))
#ifdef __clang__
#define TWINAGE_UNROLL _Pragma("clang loop unroll(full)")
#else
#define TWINAGE_UNROLL _Pragma("GCC unroll 32")
#endif

// The widest vector of the instruction set this file is being compiled for.
#if defined(__AVX512F__)
#define TWINAGE_VECTOR_FLOATS 16
#elif defined(__AVX__)
#define TWINAGE_VECTOR_FLOATS 8
#else
#define TWINAGE_VECTOR_FLOATS 4
#endif

namespace twinage {

template <int N>
struct Vec {
  typedef float Value __attribute__((vector_size(N * 4)));
  typedef float Unaligned __attribute__((vector_size(N * 4), aligned(4), may_alias));
  static constexpr int width = N;

  static TWINAGE_INLINE Value load(const float* p) {
    return *reinterpret_cast<const Unaligned*>(p);
  }
  static TWINAGE_INLINE void store(float* p, Value v) { *reinterpret_cast<Unaligned*>(p) = v; }
  static TWINAGE_INLINE Value all(float x) { return x - Value{}; }  // one broadcast
  static TWINAGE_INLINE Value max(Value a, Value b) { return a > b ? a : b; }
};

// Calls f(Vec<N>{}, c) for c = 0 ... count in steps of N: the widest vectors first, then narrower
// ones for what is left. Always inline, as f must be.
template <class F>
TWINAGE_INLINE void each_vector(std::int64_t count, F f) {
  std::int64_t c = 0;
  for (; c + TWINAGE_VECTOR_FLOATS <= count; c += TWINAGE_VECTOR_FLOATS)
    f(Vec<TWINAGE_VECTOR_FLOATS>{}, c);
  if constexpr (TWINAGE_VECTOR_FLOATS > 8)
    for (; c + 8 <= count; c += 8) f(Vec<8>{}, c);
  if constexpr (TWINAGE_VECTOR_FLOATS > 4)
    for (; c + 4 <= count; c += 4) f(Vec<4>{}, c);
  for (; c < count; ++c) f(Vec<1>{}, c);
}

}  // namespace twinage
