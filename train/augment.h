// From the bytes of a face to what the tower sees: cut out, varied at random, normalised.
#pragma once
#include <cstdint>
#include <span>

#include "core/random.h"
#include "core/view.h"

namespace twinage {

struct AugmentOptions {
  bool flip = true;         // left-right, with probability 1/2
  bool crop = true;         // a random crop of preset.input out of preset.load pixels
  float zoom = 0.0F;        // crop side varies by this share either way, then is resized
  float rotation = 0.0F;    // degrees either way
  float brightness = 0.0F;  // added, share of full scale either way
  float contrast = 0.0F;    // factor 1 +- this
  float saturation = 0.0F;  // factor 1 +- this
  float erase = 0.0F;       // probability of a random grey rectangle
};

// Throws UsageError for values that make no sense, such as a negative zoom.
void check_augment_options(const AugmentOptions& options);

// x = (value - 127.5) / 64 [ours]: about zero mean and unit variance over faces.
constexpr float kPixelMean = 127.5F, kPixelScale = 1.0F / 64.0F;

// Writes one face into `out` (1, S, S, 3): augmented by `random`, or centre-cropped without it.
// `rgb` are bytes [side][side][3], side >= S. `mirror` swaps left and right, on top of a random
// flip: the second look at a face when it is tested both ways round.
void prepare_face(View out, std::span<const std::uint8_t> rgb, Index side,
                  const AugmentOptions& augment, Random* random, bool mirror = false);

}  // namespace twinage
