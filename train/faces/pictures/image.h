// Pictures: reading, resizing, writing.
#pragma once
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
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
constexpr std::size_t kMaxImageBytes = std::size_t{256} << 20;  // of a file

// What read_image can read, by the ends of names.
constexpr std::string_view kPictureExtensions = ".jpg .jpeg .png .bmp";
bool has_picture_extension(const std::filesystem::path& path);  // in upper or lower case

// A file that holds no whole picture. `reason` leaves the path out, so that equal reasons can be
// counted.
struct ImageError : Error {
  ImageError(const std::string& path, const std::string& why)
      : Error(fmt::format("[image] {}: {}", path, why)), reason(why) {}
  std::string reason;
};

// Grey pictures become RGB, an alpha channel is dropped, and a picture whose Exif data say how the
// camera was held stands upright. Every pixel comes from the file: throws ImageError for anything
// but a JPEG, PNG or BMP within the limits all of whose rows are there. Running out of memory is no
// fault of the file: std::bad_alloc.
Image read_image(const std::filesystem::path& path);
// The same from memory; `name` stands in errors.
Image decode_image(std::span<const std::byte> bytes, const std::string& name);

// Square: the centre is cropped to a square first; anti-aliased when shrinking.
Image resize_square(const Image& image, Index side);

// A JPEG file in memory, quality 1 to 100.
std::vector<std::byte> encode_jpeg(const Image& image, int quality);

// Both write a new file beside the old one and then replace it.
void write_png(const std::filesystem::path& path, const Image& image);
void write_jpeg(const std::filesystem::path& path, const Image& image, int quality);  // 1 to 100

}  // namespace twinage
