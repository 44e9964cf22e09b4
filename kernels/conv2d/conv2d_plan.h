// How a convolution is cut. Nothing here looks at the number of threads or at values, so results
// have the same bits however many threads work. What the parts are called:
//
//   panel   some neighbouring output channels, as wide as a tile; and the filters of these, packed
//   in
//           the order in which a tile reads them (product/panels.h, conv2d_pack.h)
//   block   the output pixels of some images and rows, as many as let their input stay in the cache
//   line    a run of a block's pixels that see the same taps of the window inside the picture
//   tile    some pixels of a line times a panel (of the filter's gradient: some of a row's taps and
//           channels times a panel): the sums that stay in registers (product/tiles.h)
//   phase   of backward data with a stride: the input pixels of one remainder by the stride, which
//           the same taps reach (phase.h)
//
// A task is a block and some panels; for each panel it goes through the block's lines, and through
// the tiles of a line.
#pragma once
#include <algorithm>

#include "core/shape.h"
#include "kernels/conv2d/conv2d.h"
#include "kernels/product/panels.h"

namespace twinage::cpu {

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
  Operands operands = Operands::floats;  // of the copy for the filter's gradient

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

// Blocks for forward and backward data: many short sums. g.C counts elements of the operands. If x
// is `rounded` to pairs on the way, the copy has them.
Blocks blocks_for_correlation(const Geometry& g, bool rounded);
// Blocks for the filter gradient: sums over the pixels of a block. Pairs are of output pixels,
// neighbours in the innermost loop of a block's order: each line's first and second, third and
// fourth, ...; the copy has, of every pixel, its pair with the one that the neighbour reads.
Blocks blocks_for_filter(const Geometry& g, Operands operands);

// Lines of a block: how many, how long (all of one block have the same length), and what taps they
// see.
struct Lines {
  Index count = 1, length = 0;
};
Lines lines_of(const Blocks& blocks, const Block& block);
Taps taps_of_line(const Blocks& blocks, const Block& block, Index line);

}  // namespace twinage::cpu
