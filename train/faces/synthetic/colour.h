// Colours and smooth functions of the face painter.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>

namespace twinage::synthetic {

// Linear light (1 = white); a display value is about its square root.
struct Rgb {
  float r = 0, g = 0, b = 0;
};
inline Rgb operator+(Rgb p, Rgb q) {
  return {p.r + q.r, p.g + q.g, p.b + q.b};
}
inline Rgb operator*(Rgb p, Rgb q) {
  return {p.r * q.r, p.g * q.g, p.b * q.b};
}
inline Rgb operator*(Rgb p, float k) {
  return {p.r * k, p.g * k, p.b * k};
}
inline float mix(float p, float q, float t) {
  return p + (q - p) * t;
}
inline Rgb mix(Rgb p, Rgb q, float t) {
  return {mix(p.r, q.r, t), mix(p.g, q.g, t), mix(p.b, q.b, t)};
}
// From display values in [0, 1], which is how people pick colours.
inline Rgb display(float r, float g, float b) {
  return {r * r, g * g, b * b};
}

inline float clamp01(float x) {
  return std::clamp(x, 0.0F, 1.0F);
}
// 0 below `low`, 1 above `high`, with no corner in between.
inline float smoothstep(float low, float high, float x) {
  const float t = clamp01((x - low) / (high - low));
  return t * t * (3 - 2 * t);
}
// A bell over r² in [0, 1] that ends exactly at 1: a Gaussian's looks at the price of a product.
inline float bell(float r2) {
  const float rest = std::max(0.0F, 1 - r2);
  return rest * rest;
}

inline float hash01(std::int32_t x, std::int32_t y, std::uint32_t seed) {
  std::uint32_t h = static_cast<std::uint32_t>(x) * 0x8DA6B343U ^
                    static_cast<std::uint32_t>(y) * 0xD8163841U ^ seed;
  h = (h ^ h >> 15) * 0x2C1B3C6DU;
  h = (h ^ h >> 12) * 0x297A2D39U;
  h ^= h >> 15;
  return static_cast<float>(h >> 8) * 0x1.0p-24F;
}
// Value noise in [0, 1]: random numbers at whole coordinates, smooth in between.
inline float noise(float x, float y, std::uint32_t seed) {
  auto column = static_cast<std::int32_t>(x), row = static_cast<std::int32_t>(y);
  column -= x < static_cast<float>(column);
  row -= y < static_cast<float>(row);
  float s = x - static_cast<float>(column), t = y - static_cast<float>(row);
  s *= s * (3 - 2 * s);
  t *= t * (3 - 2 * t);
  return mix(mix(hash01(column, row, seed), hash01(column + 1, row, seed), s),
             mix(hash01(column, row + 1, seed), hash01(column + 1, row + 1, seed), s), t);
}

}  // namespace twinage::synthetic
