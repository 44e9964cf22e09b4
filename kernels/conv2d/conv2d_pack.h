// Data in the order in which tiles read it. Sizes in floats, taken from the caller's scratch.
#pragma once
#include "core/context.h"
#include "kernels/conv2d/conv2d_plan.h"

namespace twinage::cpu {

// Pictures in memory: where pixel (n, h, w) starts.
struct Source {
  const float* data = nullptr;
  Index image_pitch = 0, row_pitch = 0, ld = 0;

  const float* pixel(Index n, Index h, Index w) const {
    return data + n * image_pitch + h * row_pitch + w * ld;
  }
};

struct Target {
  float* data = nullptr;
  Index image_pitch = 0, row_pitch = 0, ld = 0;

  float* pixel(Index n, Index h, Index w) const {
    return data + n * image_pitch + h * row_pitch + w * ld;
  }
};

Source source_of(ConstView x);
Target target_of(View y);

// Which tap of the filter stands at tap (r, s) of a window, for the window of a gradient:
//   (r_last - r * step, s_last - s * step); forward: (r, s) itself.
struct TapOrder {
  Index r_last = 0, s_last = 0, step = 0;
};

// Filters (K, R, S, C) as pairs of channels: (K, R, S, (C + 1) / 2).
ConstView pair_channels(const Context& ctx, float* pairs, ConstView w);

// Filters as pairs of filters: ((K + 1) / 2, R, S, C).
ConstView pair_filters(const Context& ctx, float* pairs, ConstView w);

// Filters [K][R][S][C] as panels over K: [panel][R * S * C][width].
void pack_filters(const Context& ctx, float* panels, ConstView w);

// As panels over C, for a window of R x S taps taken in the order `taps`:
// [panel][R * S * K][width].
void pack_flipped_filters(const Context& ctx, float* panels, ConstView w, Index R, Index S,
                          TapOrder taps);

// The pictures' part that a block of outputs reads: copied to `scratch` with zeros around if the
// block needs a halo, else as it is. Pixel (0, 0) of the result is where the first window starts.
// rounded_channels: those of x, if the copy is to have pairs of them; else 0.
Source block_input(float* scratch, const Source& x, const Blocks& blocks, const Block& block,
                   Index rounded_channels = 0);

// offsets[i]: where the i-th pixel of a block in its order is, in floats from the block's first;
// `step` pixels lie between neighbours.
void pixel_offsets(std::int32_t* offsets, const Blocks& blocks, const Block& block,
                   Index image_pitch, Index row_pitch, Index ld, Index step);

// Offsets of pairs from those of pixels in runs of `run` neighbours: first[i] (in place) and
// second[i], which is negative where a run is odd. Returns the number of pairs.
Index pair_offsets(std::int32_t* first, std::int32_t* second, Index pixels, Index run);

// A gradient held as panels [panel][terms][width], summed over `copies` copies in their order
// (the first is overwritten), to dw [K][terms].
void unpack_filters(const Context& ctx, View dw, float* panels, const Panels& all, Index copies,
                    Write write);

}  // namespace twinage::cpu
