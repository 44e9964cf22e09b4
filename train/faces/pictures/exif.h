// How a camera was held. Phones store pictures as the sensor sees them and note beside them, in
// Exif, how they have to be turned.
#pragma once
#include <cstddef>
#include <span>

#include "train/faces/pictures/image.h"

namespace twinage {

// Tag 0x0112 of Exif 2.3, 1 to 8, of whatever whole type: in an APP1 segment of a JPEG, in the eXIf
// chunk of a PNG, or in the text chunk that older tools put it into. Where there is none, what XMP
// says beside the picture (tiff:Orientation). 1, nothing to do, where neither makes sense, and for
// files of any other format.
int exif_orientation(std::span<const std::byte> picture);

// The picture as it is to be looked at.
Image turned_upright(Image image, int orientation);

}  // namespace twinage
