// How a face is varied at random before the tower sees it. The arithmetic is an operation:
// kernels/normalize_images.
#pragma once
#include <cstdint>

#include "core/random.h"
#include "kernels/normalize_images/normalize_images.h"

namespace twinage {

// Ranges: train/settings/settings.cpp.
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

// Draws what becomes of one face of side x side pixels in an output of size x size, or gives the
// centre crop without `random`.
ImageVariation draw_variation(const AugmentOptions& options, Index side, Index size,
                              Random* random);

// One look at a face that is tested: its middle, from closer (zoom below 1) or farther (above 1),
// and with left and right exchanged.
ImageVariation look_at_centre(Index side, Index size, float zoom, bool mirror);

}  // namespace twinage
