// For the CPU: the faces of a batch by how far they are from an anchor in age.
#pragma once
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <span>

#include "kernels/batch_loss/batch_loss.h"

namespace twinage::cpu {

// A face other than the anchor as one number: the gap's bits, which are in the order of the numbers
// as no gap is below 0, then its place in the batch.
using ByGap = std::uint64_t;

inline float gap_of(ByGap face) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(face >> 32U));
}
inline Index place_of(ByGap face) {
  return static_cast<Index>(face & 0xffffffffU);
}

inline ByGap by_gap(float gap, Index place) {
  return static_cast<ByGap>(std::bit_cast<std::uint32_t>(std::fabs(gap))) << 32U |
         static_cast<ByGap>(place);
}

// All but the anchor, the nearest in age first. Memory: [batch].
inline std::span<const ByGap> others_by_gap(ByGap* memory, Index anchor, const float* age,
                                            Index batch) {
  Index count = 0;
  for (Index i = 0; i < batch; ++i)
    if (i != anchor) memory[count++] = by_gap(age[i] - age[anchor], i);
  std::sort(memory, memory + count);
  return {memory, static_cast<std::size_t>(count)};
}

// Behind the faces that are as far as the one at `first`.
inline std::size_t end_of_equals(std::span<const ByGap> others, std::size_t first) {
  std::size_t end = first + 1;
  while (end < others.size() && others[end] >> 32U == others[first] >> 32U) ++end;
  return end;
}

}  // namespace twinage::cpu
