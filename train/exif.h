// How a camera was held. Phones store pictures as the sensor sees them and note beside them, in
// Exif, how they have to be turned.
#pragma once
#include <cstddef>
#include <span>

#include "train/image.h"

namespace twinage {

// Tag 0x0112 of Exif 2.3, 1 to 8; 1, nothing to do, where the JPEG has no such tag or one that
// makes no sense.
int exif_orientation(std::span<const std::byte> jpeg);

// The picture as it is to be looked at.
Image turned_upright(Image image, int orientation);

}  // namespace twinage
