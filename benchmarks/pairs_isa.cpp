// What a core can do at most with bf16: multiply-adds of pairs on registers, no memory.
#include <cstdint>

#include "benchmarks/peak.h"
#include "core/simd.h"

#ifdef __AVX512BF16__
#include <immintrin.h>
#endif

namespace twinage::TWINAGE_ISA_NAMESPACE {
namespace {

constexpr int N = TWINAGE_VECTOR_FLOATS;
// More independent sums than two units times six cycles of latency can have under way.
constexpr int kSums = 16;

typedef std::uint32_t Pairs __attribute__((vector_size(N * 4)));

float multiply_add(long rounds) {
  using V = Vec<N>;
  std::uint32_t ones = 0x3F803F80U;
  asm volatile("" : "+m"(ones));  // the compiler cannot know that nothing changes
  V::Value sum[kSums];
  TWINAGE_UNROLL for (int i = 0; i < kSums; ++i) sum[i] = V::all(static_cast<float>(i));
  const Pairs a = ones + Pairs{}, b = (ones << 16) + Pairs{};
  for (long round = 0; round < rounds; ++round) TWINAGE_UNROLL for (int i = 0; i < kSums; ++i) {
#ifdef __AVX512BF16__
      sum[i] = (V::Value)_mm512_dpbf16_ps((__m512)sum[i], (__m512bh)a, (__m512bh)b);
#else
      sum[i] += (V::Value)(a & 0xFFFF0000U) * (V::Value)(b & 0xFFFF0000U);
      sum[i] += (V::Value)(a << 16) * (V::Value)(b << 16);
#endif
    }
  V::Value total = {};
  TWINAGE_UNROLL for (int i = 0; i < kSums; ++i) total += sum[i];
  return total[0];
}

}  // namespace

extern const PeakLoop bf16_peak_loop;
const PeakLoop bf16_peak_loop = {multiply_add, 4.0 * N* kSums};

}  // namespace twinage::TWINAGE_ISA_NAMESPACE
