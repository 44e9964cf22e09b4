// bf16: the upper half of a float32. 8 bits of mantissa (one of them implied), float32's exponents.
//
// Rounded to nearest, ties to even: off by at most 2^-8 of the number itself (2^-134 for
// subnormals). Past the largest, infinity; NaN stays NaN, and becomes quiet.
#pragma once
#include <bit>
#include <cstdint>

namespace twinage {

constexpr std::uint16_t to_bf16(float x) {
  const auto bits = std::bit_cast<std::uint32_t>(x);
  // The upper half of a NaN may be that of infinity: a bit that is certainly kept says quiet.
  if ((bits & 0x7FFFFFFFU) > 0x7F800000U) return static_cast<std::uint16_t>(bits >> 16 | 0x40U);
  return static_cast<std::uint16_t>((bits + 0x7FFFU + (bits >> 16 & 1U)) >> 16);
}

constexpr float from_bf16(std::uint16_t half) {
  return std::bit_cast<float>(std::uint32_t{half} << 16);
}

// The nearest bf16, as float32.
constexpr float rounded_to_bf16(float x) {
  return from_bf16(to_bf16(x));
}

}  // namespace twinage
