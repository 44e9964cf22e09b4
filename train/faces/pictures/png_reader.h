// PNG (ISO/IEC 15948): 1 to 16 bits, grey, RGB and palettes, with or without alpha, interlaced or
// not. Of an animation the first picture.
#pragma once
#include <cstddef>
#include <span>
#include <string>

#include "train/faces/pictures/image.h"

namespace twinage {

// Alpha is dropped; of 16 bits the upper 8 are kept. Throws ImageError (`name` stands in it) when
// rows or colours are missing, or when the data inflate to more than the picture holds. Good is a
// picture all of whose rows are there, whatever follows them. Needs as much memory as the file and
// 11 bytes a pixel, and no more than that whatever the file says.
Image read_png(std::span<const std::byte> bytes, const std::string& name);

}  // namespace twinage
