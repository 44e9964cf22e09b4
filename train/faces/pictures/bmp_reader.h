// Windows and OS/2 bitmaps without compression.
#pragma once
#include <cstddef>
#include <span>
#include <string>

#include "train/faces/pictures/image.h"

namespace twinage {

// 1, 2, 4, 8, 16, 24 or 32 bits a pixel, with any header of 12 bytes (OS/2) to 124 (BITMAPV5),
// bottom-up or top-down; alpha is dropped. Throws ImageError (`name` stands in it) when rows or
// colours are missing, or when the pixels are compressed. Needs no memory but the picture's own.
Image read_bmp(std::span<const std::byte> bytes, const std::string& name);

}  // namespace twinage
