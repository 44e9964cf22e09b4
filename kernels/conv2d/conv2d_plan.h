// How a convolution is cut: output channels into panels, output pixels into blocks that fit the
// cache, blocks into lines whose pixels see the same taps, lines into tiles. Nothing here looks at
// the number of threads or at values, so results have the same bits however many threads work.
#pragma once
#include <algorithm>

#include "core/shape.h"
#include "kernels/conv2d/conv2d.h"
#include "kernels/conv2d/tiles.h"

namespace twinage::cpu {

// A range cut into pieces of nearly equal size, the larger ones first.
struct Cut {
  Index total = 0, pieces = 1;

  Index begin(Index i) const { return i * (total / pieces) + std::min(i, total % pieces); }
  Index size(Index i) const { return total / pieces + (i < total % pieces ? 1 : 0); }
  Index max_size() const { return ceil_div(total, pieces); }
};

// As few pieces as possible, none larger than `size`; at least one (empty if total is 0).
inline Cut cut_at_most(Index total, Index size) {
  return {total, std::max<Index>(1, ceil_div(total, size))};
}

// Adjacent output channels, as many as a tile is wide.
struct Panel {
  const Tiles* tiles = nullptr;
  Index vectors = 0;
  Index first = 0;    // channel; also where the panel starts in padded channels
  Index columns = 0;  // channels that exist: fewer than width() in the last panel, perhaps

  Index width() const { return vectors * tiles->width; }
  Index max_pixels() const { return tiles->max_pixels[vectors]; }
};

// All panels of `channels` channels. Counts that are an odd multiple of half a vector start with a
// panel of half-wide vectors instead of wasting half a vector.
class Panels {
 public:
  Panels(Index channels, bool one_tap);

  Index count() const {
    return narrow_.pieces * (narrow_.total > 0) + wide_.pieces * (wide_.total > 0);
  }
  Panel operator[](Index i) const;
  Index padded() const;  // channels, with the zeros behind the last panel's columns
  static Index max_width();

 private:
  Index channels_;
  Cut narrow_{0, 1}, wide_{0, 1};  // vectors
};

// A correlation of N pictures of H x W pixels with a window of R x S taps:
//   y[n, p, q] = sum over r, s of x[n, p * stride - top + r, q * stride - left + s] * w[r, s]
// top and left may be negative: the window then starts inside the picture.
struct Geometry {
  Index N = 0, H = 0, W = 0, C = 0, P = 0, Q = 0;
  Index R = 1, S = 1, stride = 1, top = 0, left = 0;

  Index terms() const { return R * S * C; }
  bool one_tap() const { return R * S == 1; }
  // Whether some window reaches over the border of the picture.
  bool reaches_outside() const;
  // Whether output pixel i reads input pixel i and nothing else.
  bool pointwise() const;
};

Geometry geometry_of(Shape x, Shape w, Conv2d conv);

// A pointwise correlation over one long column of pixels.
Geometry flattened(const Geometry& g);

// The taps [r0, r1) x [s0, s1) of a window that are inside the picture.
struct Taps {
  Index r0 = 0, r1 = 0, s0 = 0, s1 = 0;
};

// The output pixels, cut into blocks of some images times some rows. In a block, pixels are
// ordered by (p, q, n), or by (q, p, n) if by_column; n is innermost because the pixels of one
// position see the same taps in every image. A line is a run of pixels in that order for which the
// taps are known to be inside.
struct Blocks {
  Geometry g;
  Cut images, rows;
  bool halo = false;  // some window reaches outside the picture
  bool by_column = false;
  Index copy_ld = 0;  // pitch of the copy, with zeros around, that is read instead of x; 0: none

  Index count() const { return g.N * g.P * g.Q == 0 ? 0 : images.pieces * rows.pieces; }
  Index max_pixels() const { return images.max_size() * rows.max_size() * g.Q; }
  // Extents of the copy.
  Index copy_height(Index block_rows) const { return (block_rows - 1) * g.stride + g.R; }
  Index copy_width() const { return (g.Q - 1) * g.stride + g.S; }
  Index copy_floats() const;
};

struct Block {
  Index first_image = 0, images = 0, first_row = 0, rows = 0;

  Index pixels(Index Q) const { return images * rows * Q; }
};

Block block_at(const Blocks& blocks, Index i);

// Blocks for forward and backward data: many short sums.
Blocks blocks_for_correlation(const Geometry& g);
// Blocks for the filter gradient: sums over the pixels of a block.
Blocks blocks_for_filter(const Geometry& g);

// Lines of a block: how many, how long (all of one block have the same length), and what taps they
// see.
struct Lines {
  Index count = 1, length = 0;
};
Lines lines_of(const Blocks& blocks, const Block& block);
Taps taps_of_line(const Blocks& blocks, const Block& block, Index line);

}  // namespace twinage::cpu
