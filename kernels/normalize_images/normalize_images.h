// From the bytes of pictures to what the tower sees: cut out, varied, normalised.
//
//   y[n, h, w, c] = (colour(shown) - 127.5) / 64      `shown`: the byte of rgb[n] that lies there
//
// The numbers of a variation are drawn by train/faces/augment; here is the arithmetic.
#pragma once
#include <cstdint>

#include "core/context.h"
#include "core/view.h"
#include "kernels/backends.h"

namespace twinage {

// (value - mean) * scale [ours]: about zero mean and unit variance over faces.
constexpr float kPixelMean = 127.5F, kPixelScale = 1.0F / 64.0F, kPixelWhite = 255.0F;

// What becomes of one picture. Positions are in pixels, pixel i reaching from i to i + 1, so that
// its centre is at i + 0.5.
struct ImageVariation {
  bool flip = false;        // left and right, at the end
  bool resample = false;    // zoom and rotation, instead of a plain crop
  Index top = 0, left = 0;  // without resampling: of the crop
  // With resampling: source = centre + [cosine -sine; sine cosine] (output - size / 2), bilinear;
  // positions outside show the nearest pixel of the edge.
  float centre_y = 0, centre_x = 0, cosine = 1, sine = 0;
  // v = (v - 127.5) * contrast + 127.5 + 255 * brightness, cut off at 0 and 255 as in a camera,
  // of v = grey + (byte - grey) * saturation. grey is the luma of ITU-R BT.601, what JPEG calls Y.
  float brightness = 0, contrast = 1, saturation = 1;
  // A rectangle of the output that becomes 0, the mean grey; no height: none.
  Index erase_top = 0, erase_left = 0, erase_height = 0, erase_width = 0;
};

// y (N, size, size, 3). rgb: bytes [N][side][side][3] and variations [N], both memory of the
// device. A crop that leaves the picture throws Error on cpu; on a device the image becomes NaN.
void normalize_images(const Context& ctx, View y, const std::uint8_t* rgb, Index side,
                      const ImageVariation* variations);

TWINAGE_BACKENDS(normalize_images)

}  // namespace twinage
