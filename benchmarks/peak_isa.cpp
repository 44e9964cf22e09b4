// What a core can do at most: multiply-adds on registers, no memory.
#include "benchmarks/peak.h"
#include "core/simd.h"

namespace twinage::TWINAGE_ISA_NAMESPACE {
namespace {

constexpr int N = TWINAGE_VECTOR_FLOATS;
// More independent sums than two units times four cycles of latency can have under way.
constexpr int kSums = 12;

float multiply_add(long rounds) {
  using V = Vec<N>;
  float one = 1;
  asm volatile("" : "+m"(one));  // the compiler cannot know that nothing changes
  V::Value sum[kSums];
  TWINAGE_UNROLL for (int i = 0; i < kSums; ++i) sum[i] = V::all(static_cast<float>(i));
  const V::Value a = V::all(one), b = V::all(1 - one);
  for (long round = 0; round < rounds; ++round)
    TWINAGE_UNROLL for (int i = 0; i < kSums; ++i) sum[i] = sum[i] * a + b;
  V::Value total = {};
  TWINAGE_UNROLL for (int i = 0; i < kSums; ++i) total += sum[i];
  return total[0];
}

}  // namespace

extern const PeakLoop peak_loop;
const PeakLoop peak_loop = {multiply_add, 2.0 * N* kSums};

}  // namespace twinage::TWINAGE_ISA_NAMESPACE
