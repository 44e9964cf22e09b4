// The innermost loops of convolution and matrix product: tiles of the output that stay in
// registers while the whole sum runs over them. tiles_isa.h has one copy of each for every tile
// size and instruction set; the drivers (conv2d_correlate.cpp, conv2d_filter.cpp, matmul_cpu.cpp)
// cut the work into tiles.
//
// A tile is `pixels` rows times `vectors` vectors of adjacent channels; its column operand is a
// panel: packed memory [terms][vectors * width], padded with zeros, read front to back.
//
// An element of the operands is a float32, or, with bf16, a pair: two neighbouring terms of a sum,
// rounded (core/bf16.h), the first in the lower half of 32 bits. A pair takes the place of a float
// in memory (whose type stays float: pairs are moved, never computed with), so a tile does not know
// of what its operands are made: half as many terms, each twice the work. Where the number of terms
// is odd, the last pair's second is zero.
#pragma once
#include <cstddef>
#include <cstdint>

namespace twinage::cpu {

// A tile of outputs: y[m][n] = sum over taps and channels of x[m + tap][c] * panel[tap, c][n].
struct CorrelationTile {
  const float* x;                          // where tap (0, 0) of an offset 0 would read
  const std::int32_t* x_offsets;           // [pixels] floats from x
  std::ptrdiff_t rows, row_pitch;          // rows of taps; floats from one to the next
  std::ptrdiff_t segments, segment_pitch;  // contiguous pieces of a row of taps
  std::ptrdiff_t length;                   // floats in a segment
  const float* panel;
  std::ptrdiff_t panel_skip;  // floats of the panel left out after each row of taps

  float* y;
  const std::int32_t* y_offsets;  // [pixels] floats from y
  bool accumulate;                // y += instead of y =
  bool y_bf16;                    // y is a bf16 view (core/view.h): of pairs only, and overwritten

  // What happens on the way out; null: nothing. Each has a panel's width.
  const float* bias;
  bool relu;
  float *mean, *m2;     // of the raw sums: merged with those of this tile (Chan et al. 1979)
  float share, weight;  // pixels / (pixels + before), and that times `before`

  // The input of the next tile, fetched a little with every term of the sum.
  const char* prefetch;
  std::ptrdiff_t prefetch_step;  // bytes
};

// A tile of sums over pixels: out[m][n] = sum over i of x[i][m] * panel[i][n], the gradient of a
// filter (or a product with a transposed left operand). m runs over adjacent floats of x.
struct FilterTile {
  const float* x;
  const std::int32_t* x_offsets;  // [terms] floats from x
  std::ptrdiff_t terms;           // pixels summed over
  const float* panel;             // [terms][vectors * width]
  float* out;
  std::ptrdiff_t out_pitch;  // floats from one m to the next
  bool accumulate;           // out += instead of out =
  std::ptrdiff_t prefetch;   // floats from a term's x to what is fetched meanwhile
};

constexpr int kMaxVectors = 5;  // of a tile's width
constexpr int kMaxPixels = 14;  // of a tile's height

// All tiles of one vector width. Entries past max_pixels[vectors] are null.
struct Tiles {
  int width = 0;                         // floats of a vector; 0: this instruction set has none
  int panel_vectors = 0;                 // widest panel to use for windows of several taps
  int panel_vectors_1x1 = 0;             // and for those of one
  int max_pixels[kMaxVectors + 1] = {};  // what the registers hold, by number of vectors
  void (*correlate[kMaxVectors + 1][kMaxPixels + 1])(const CorrelationTile&) = {};
  void (*filter[kMaxVectors + 1][kMaxPixels + 1])(const FilterTile&) = {};
};

// Moving matrices of floats; pitches are floats from one row to the next.
struct Movers {
  // to[i][j] = from[i][j] for j < columns, then zeros up to to_columns.
  void (*copy)(float* to, std::ptrdiff_t to_pitch, std::ptrdiff_t to_columns, const float* from,
               std::ptrdiff_t from_pitch, std::ptrdiff_t rows, std::ptrdiff_t columns);
  // to[i][j] = from[offsets[i] + j] for j < columns, then zeros up to to_columns; to is dense.
  void (*gather)(float* to, std::ptrdiff_t to_columns, const float* from,
                 const std::int32_t* offsets, std::ptrdiff_t rows, std::ptrdiff_t columns);
  // to[j][i] = or += from[i][j], i < rows, j < columns.
  void (*transpose)(float* to, std::ptrdiff_t to_pitch, const float* from,
                    std::ptrdiff_t from_pitch, std::ptrdiff_t rows, std::ptrdiff_t columns,
                    bool accumulate);
  // sum[i] += term[i].
  void (*add)(float* sum, const float* term, std::ptrdiff_t count);
};

// From floats to pairs of bf16; pitches are floats, or pairs, from one row to the next.
struct PairMovers {
  // to[i][j] = the pair (from[i][2 j], from[i][2 j + 1]) for 2 j < columns.
  void (*round)(float* to, std::ptrdiff_t to_pitch, const float* from, std::ptrdiff_t from_pitch,
                std::ptrdiff_t rows, std::ptrdiff_t columns);
  // to[j] = the pair (first[j], second[j]); second may be null: zeros. `to` may be `first`, and
  // `second` may lie behind it.
  void (*join)(float* to, const float* first, const float* second, std::ptrdiff_t count);
  // to[i][j] = the pair (from[first[i] + j], from[second[i] + j]) for j < columns, then zeros up to
  // to_columns. A negative offset in `second`: zeros.
  void (*gather)(float* to, std::ptrdiff_t to_pitch, std::ptrdiff_t to_columns, const float* from,
                 const std::int32_t* first, const std::int32_t* second, std::ptrdiff_t rows,
                 std::ptrdiff_t columns);
};

// What an element of a product's operands is.
enum class Operands { floats, pairs };

// How many elements hold so many terms of a sum.
constexpr std::int64_t elements(Operands operands, std::int64_t terms) {
  return operands == Operands::pairs ? (terms + 1) / 2 : terms;
}

// What one instruction set offers. The tiles of floats and of pairs have the same sizes.
struct Kernels {
  const Tiles& wide;    // the widest vectors
  const Tiles& narrow;  // half as wide, for channel counts that are no multiple of the widest
  const Movers& move;
};

const Kernels& kernels(Operands operands = Operands::floats);  // of the instruction set in use
const PairMovers& pair_movers();

}  // namespace twinage::cpu
