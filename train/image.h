// Pictures: decoding, resizing, writing. stb_image does the decoding; this adds limits and errors.
#pragma once
#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

#include "core/shape.h"

namespace twinage {

// 8 bits a channel, R G B, row by row.
struct Image {
  Index width = 0, height = 0;
  std::vector<std::uint8_t> rgb;  // [height][width][3]
  std::uint8_t* pixel(Index y, Index x) { return rgb.data() + (y * width + x) * 3; }
  const std::uint8_t* pixel(Index y, Index x) const { return rgb.data() + (y * width + x) * 3; }
};

constexpr Index kMaxImagePixels = Index{64} << 20;  // larger headers are refused before decoding

// Throws Error (path and reason) for anything but a whole JPEG, PNG, BMP, ... within the limits.
Image read_image(const std::filesystem::path& path);

// Square: the centre is cropped to a square first; anti-aliased when shrinking.
Image resize_square(const Image& image, Index side);

void write_png(const std::filesystem::path& path, const Image& image);
void write_jpeg(const std::filesystem::path& path, const Image& image, int quality);

}  // namespace twinage
