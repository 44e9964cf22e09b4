// What the targets jpeg, png and bmp have in common.
#pragma once
#include "tests/fuzz/target.h"
#include "train/faces/pictures/image.h"

namespace twinage::fuzz {

// Decodes the input twice, over memory filled with different bytes. Must hold: either ImageError,
// or a picture of at least one pixel and of width * height * 3 bytes; the same both times; at no
// moment more memory than kBytesAPixel for each pixel that the header promises (`pixels`, of the
// larger one where there are several) and kBytesBesides. Inputs that promise many pixels are passed
// over, for speed; one in 256 of them is decoded if it promises no more than a million.
void check_picture(Input input, Index width, Index height);

constexpr std::size_t kBytesAPixel = 64;  // of the header's width and height, each rounded up by 64
constexpr std::size_t kBytesBesides = std::size_t{1} << 20;

Index number_at(Input input, std::size_t at, std::size_t size,
                bool big_endian);  // 0 beyond the end

}  // namespace twinage::fuzz
