#include "kernels/conv2d/conv2d_plan.h"

namespace twinage::cpu {
namespace {

// Sizes in floats. They leave room in a second-level cache of 512 KB or more for the weights.
constexpr Index kCorrelationInput = 64 * 1024;
constexpr Index kFilterInput = 48 * 1024, kSmallMapInput = 256 * 1024;

// Maps so small that most windows reach over the border: there, a line is one position of several
// images, for which the taps inside are known exactly.
constexpr Index kSmallMap = 100;
constexpr Index kImagesOfALine = 8, kFewestImagesOfALine = 6;

// Floats of x that one row of outputs adds to what a block reads; at least 1.
Index floats_of_a_row(const Blocks& blocks) {
  const Geometry& g = blocks.g;
  return std::max<Index>(1, (blocks.halo ? blocks.copy_width() : g.W) * g.stride * g.C);
}

// One image a block, copied if windows reach outside or operands are rounded.
Blocks whole_images(const Geometry& g, bool rounded) {
  const bool halo = g.reaches_outside();
  return {g, {g.N, std::max<Index>(1, g.N)}, {g.P, 1}, halo, false, halo || rounded ? g.C : 0};
}

}  // namespace

bool Geometry::reaches_outside() const {
  if (R * S == 0) return false;
  return top > 0 || left > 0 || (P - 1) * stride - top + R > H || (Q - 1) * stride - left + S > W;
}

bool Geometry::pointwise() const {
  return one_tap() && stride == 1 && top == 0 && left == 0 && P == H && Q == W;
}

Geometry geometry_of(Shape x, Shape w, Conv2d conv) {
  const Shape y = conv2d_shape(x, w, conv);
  return {x.n, x.h, x.w, x.c, y.h, y.w, w.h, w.w, conv.stride, conv.pad_h, conv.pad_w};
}

Geometry flattened(const Geometry& g) {
  Geometry flat;
  flat.N = flat.W = flat.Q = 1;
  flat.H = flat.P = g.N * g.H * g.W;
  flat.C = g.C;
  return flat;
}

Index Blocks::copy_floats() const {
  return images.max_size() * copy_height(rows.max_size()) * copy_width() * copy_ld;
}

Block block_at(const Blocks& blocks, Index i) {
  const Index image = i / blocks.rows.pieces, row = i % blocks.rows.pieces;
  return {blocks.images.begin(image), blocks.images.size(image), blocks.rows.begin(row),
          blocks.rows.size(row)};
}

Blocks blocks_for_correlation(const Geometry& g, bool rounded) {
  Blocks blocks = whole_images(g, rounded);
  if (blocks.halo && g.P * g.Q <= kSmallMap && g.N >= kFewestImagesOfALine) {
    blocks.images = cut_at_most(g.N, kImagesOfALine);
    return blocks;
  }
  // Where only columns reach outside, lines are columns.
  blocks.by_column = blocks.halo && g.R == 1;
  const Index row_floats = floats_of_a_row(blocks);
  const Index rows = std::max<Index>(1, kCorrelationInput / row_floats);
  constexpr Index kMostPixels = 4096, kBlocksWanted = 8, kFewestPixels = 32;
  if (!blocks.halo && rows >= 2 * g.P && g.N >= 2 * kBlocksWanted) {
    const Index images =
        std::min({rows / g.P, ceil_div(g.N, kBlocksWanted), kMostPixels / (g.P * g.Q)});
    blocks.images = cut_at_most(g.N, std::max<Index>(1, images));
    return blocks;
  }
  blocks.rows = cut_at_most(g.P, std::min(rows, std::max<Index>(1, kMostPixels / g.Q)));
  // A single picture (or a flattened batch) is cut finer, for the threads to share.
  if (!blocks.halo && g.N == 1 && g.P * g.Q >= kBlocksWanted * kFewestPixels)
    blocks.rows.pieces = std::max(blocks.rows.pieces, std::min(kBlocksWanted, g.P));
  return blocks;
}

Blocks blocks_for_filter(const Geometry& g, Operands operands) {
  Blocks blocks = whole_images(g, operands == Operands::pairs);
  blocks.operands = operands;
  // A tap's pixels must be adjacent in the order of pixels: rows of taps skip rows of pixels,
  // columns of taps skip columns. And a column of single pixels has its pairs along the column.
  blocks.by_column =
      (blocks.halo && g.R == 1) || (operands == Operands::pairs && !blocks.halo && g.Q == 1);
  // Few pixels mean a large filter: its gradient would be read and written for every block.
  constexpr Index kMostPixels = 1024, kFewestPixels = 256;
  // Pixels whose pitch is a multiple of 2 KB share a few sets of the caches: copied apart.
  constexpr Index kAliasedPitch = 512, kCacheLine = 16;  // floats
  if (g.one_tap() && g.C % kAliasedPitch == 0) blocks.copy_ld = g.C + kCacheLine;
  if (g.P * g.Q <= kSmallMap && g.N > 1) {
    const Index image_rows = blocks.halo ? blocks.copy_height(g.P) : g.H;
    const Index image_floats = image_rows * floats_of_a_row(blocks) / g.stride;
    const Index images =
        std::min(kSmallMapInput / std::max<Index>(1, image_floats), kMostPixels / (g.P * g.Q));
    blocks.images = cut_at_most(g.N, std::max<Index>(1, images));
    return blocks;
  }
  const Index row_floats = floats_of_a_row(blocks);
  const Index rows = std::max(kFilterInput / row_floats, ceil_div(kFewestPixels, g.Q));
  blocks.rows = cut_at_most(g.P, std::clamp<Index>(kMostPixels / g.Q, 1, rows));
  return blocks;
}

Lines lines_of(const Blocks& blocks, const Block& block) {
  const Index pixels = block.pixels(blocks.g.Q);
  if (!blocks.halo) return {1, pixels};
  if (block.images > 1) return {pixels / block.images, block.images};
  if (blocks.by_column) return {blocks.g.Q, block.rows};
  return {block.rows, blocks.g.Q};
}

Taps taps_of_line(const Blocks& blocks, const Block& block, Index line) {
  const Geometry& g = blocks.g;
  Taps taps{0, g.R, 0, g.S};
  if (!blocks.halo) return taps;
  const bool position = block.images > 1;  // the line is one position, else a row or a column
  if (position || !blocks.by_column) {
    const Index p = block.first_row + (position ? line / g.Q : line);
    taps.r0 = std::clamp<Index>(g.top - p * g.stride, 0, g.R);
    taps.r1 = std::clamp<Index>(g.H + g.top - p * g.stride, taps.r0, g.R);
  }
  if (position || blocks.by_column) {
    const Index q = position ? line % g.Q : line;
    taps.s0 = std::clamp<Index>(g.left - q * g.stride, 0, g.S);
    taps.s1 = std::clamp<Index>(g.W + g.left - q * g.stride, taps.s0, g.S);
  }
  return taps;
}

}  // namespace twinage::cpu
