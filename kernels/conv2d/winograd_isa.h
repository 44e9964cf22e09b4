// The three transforms of winograd.h, over neighbouring channels; once for every instruction set.
// Pitches are floats. A position is a place (i, j) of a transformed tile, number 6 i + j.
#pragma once
#include <cstddef>

namespace twinage::cpu {

constexpr int kWinogradOutputs = 4, kWinogradInputs = 6;  // along each axis of a tile
constexpr int kWinogradPositions = kWinogradInputs * kWinogradInputs;

// What the transforms read, and how they write: numbers as they are, float32 rounded to the nearest
// bf16 on the way (operands of that arithmetic), or bf16 in memory (core/view.h).
enum class WinogradNumbers { floats, rounded, bf16 };

// Part of a tile of inputs: rows [top, bottom) and columns [left, right) are in the picture, what
// is around them is zero.
struct WinogradInput {
  const float* x;  // of the tile's place (0, 0), which may be outside
  std::ptrdiff_t row_pitch, ld;
  int top, bottom, left, right;
};

// A tile's sums, of some channels, on their way out.
struct WinogradOutput {
  const float* sums;  // [36]
  std::ptrdiff_t position_pitch;
  float* y;
  std::ptrdiff_t row_pitch, ld;
  int rows, columns;  // that exist
  bool accumulate, relu;
  // Null: none.
  const float* bias;
  float *mean, *m2;     // of the raw sums: merged with those of this tile (Chan et al. 1979)
  float share, weight;  // pixels / (pixels + before), and that times `before`
};

struct WinogradTransforms {
  // to[position][c] = B' d B; a function for each WinogradNumbers
  void (*input[3])(float* to, std::ptrdiff_t position_pitch, const WinogradInput& d,
                   std::ptrdiff_t channels);
  // to[position][c] = G g G', g[r][s][c] at g + r * row_pitch + s * tap_pitch; of floats, or
  // rounded
  void (*filter[2])(float* to, std::ptrdiff_t position_pitch, const float* g,
                    std::ptrdiff_t row_pitch, std::ptrdiff_t tap_pitch, std::ptrdiff_t channels);
  // y = or += A' sums A, with bias and ReLU; y of floats, or ([1]) overwritten as bf16
  void (*output[2])(const WinogradOutput& tile, std::ptrdiff_t channels);
};

namespace baseline {
extern const WinogradTransforms kWinograd;
}
namespace avx2 {
extern const WinogradTransforms kWinograd;
}
namespace avx512 {
extern const WinogradTransforms kWinograd;
}

}  // namespace twinage::cpu
