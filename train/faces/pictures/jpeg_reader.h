// JPEG (ITU-T T.81) of 8 bits, baseline, extended or progressive, coded by Huffman. stb_image does
// the decoding; what it gets has been walked through to the last block before.
#pragma once
#include <cstddef>
#include <span>
#include <string>

#include "train/faces/pictures/image.h"

namespace twinage {

// Grey, YCbCr, RGB, CMYK and YCCK, told apart as libjpeg does; the last two are shown as Adobe
// stores them, inverted. Throws ImageError (`name` stands in it) when a block is missing, and
// std::bad_alloc when there is no memory. Good is a picture all of whose blocks are there, whatever
// follows them. Needs at most as much memory as the file, 20 bytes a pixel of the picture rounded
// up to whole MCUs (32 pixels, at most), and 1 MB.
Image read_jpeg(std::span<const std::byte> bytes, const std::string& name);

}  // namespace twinage
