// Convolution with 3 x 3 filters and stride 1 by Winograd's minimal filtering F(4 x 4, 3 x 3)
// (Lavin and Gray 2016, "Fast Algorithms for Convolutional Neural Networks", section 4.1): 4 x 4
// outputs, which see 6 x 6 inputs d, take 36 multiplications for each pair of channels instead of
// 144,
//
//   y = A' [ sum over c of (G g G') * (B' d B) ] A,     * element by element, ' transposed
//
//        | 4  0 -5  0  1  0 |        | 1/4    0     0  |
//        | 0 -4 -4  1  1  0 |        |-1/6  -1/6  -1/6 |        | 1  1  1  1  1  0 |
//   B' = | 0  4 -4 -1  1  0 |    G = |-1/6   1/6  -1/6 |   A' = | 0  1 -1  2 -2  0 |
//        | 0 -2 -1  2  1  0 |        | 1/24  1/12  1/6 |        | 0  1  1  4  4  0 |
//        | 0  2 -1 -2  1  0 |        | 1/24 -1/12  1/6 |        | 0  1 -1  8 -8  1 |
//        | 0  4  0 -5  0  1 |        |  0     0     1  |
//
// so that for each of 36 positions a matrix product of tiles by channels is left, which the tiles
// of product/tiles.h compute. What is saved is paid with rounding: sums have terms of both signs
// that are larger than what they add up to. Componentwise, with |.| of matrices element by element,
//
//   |error| <= (C + 40) * 2^-24 * |A'| [ sum over c of (|G| |g| |G'|) * (|B'| |d| |B|) ] |A|,
//
// where 40 counts the roundings of the three transforms. A NaN reaches all outputs of its tiles.
//
// With bf16, d and g are rounded before they are transformed, and everything else is float32: exact
// products of rounded operands, as by definition, with half the multiplications of a processor that
// makes two of bf16 at once.
#pragma once
#include "kernels/conv2d/conv2d_correlate.h"

namespace twinage::cpu {

// Whether a correlation, whose g.C counts channels, is computed so: 3 x 3 taps, stride 1, and so
// many channels and pixels that it is faster. It does not depend on the number of pictures, so that
// the bits of one do not depend on how many others there are.
bool takes_winograd(const Context& ctx, const Geometry& g, Index K);

// Floats of the transformed filters.
Index winograd_filter_floats(const Geometry& g, Index K);

// G g G' of each filter, as panels over the outputs' channels: [panel][36][C][width]. Forward:
// filters (K, 3, 3, C); backward data: the same filters, flipped, the sum over their K.
void winograd_filters(const Context& ctx, float* panels, ConstView w);
void winograd_flipped_filters(const Context& ctx, float* panels, ConstView w);

// Scratch that winograd() takes from the context; that of the filters' transform is within it.
Index winograd_workspace(const Context& ctx, const Geometry& g, Index K);

// What correlate() does, with filters transformed by one of the functions above; job.g.C and
// offsets count channels, of bf16 two to a float.
void winograd(const Context& ctx, const Correlation& job);

}  // namespace twinage::cpu
