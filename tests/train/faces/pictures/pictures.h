// Pictures for tests.
#pragma once
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include "core/files.h"
#include "train/faces/pictures/image.h"

namespace twinage::test {

// Smooth, so that JPEG keeps it closely.
inline Image gradient(Index width, Index height) {
  Image image{width, height,
              std::vector<std::uint8_t>(static_cast<std::size_t>(width * height * 3))};
  for (Index y = 0; y < height; ++y)
    for (Index x = 0; x < width; ++x) {
      image.pixel(y, x)[0] = static_cast<std::uint8_t>(x * 255 / width);
      image.pixel(y, x)[1] = static_cast<std::uint8_t>(y * 255 / height);
      image.pixel(y, x)[2] = 100;
    }
  return image;
}

inline int largest_difference(const Image& a, const Image& b) {
  REQUIRE(a.width == b.width);
  REQUIRE(a.height == b.height);
  int largest = 0;
  for (std::size_t i = 0; i < a.rgb.size(); ++i)
    largest = std::max(largest, std::abs(int{a.rgb[i]} - int{b.rgb[i]}));
  return largest;
}

inline std::vector<std::byte> bytes_of(std::string_view text) {
  const auto* first = reinterpret_cast<const std::byte*>(text.data());
  return {first, first + text.size()};
}

// Why a picture is refused; "(decoded)" where it is not.
inline std::string reason_of(std::span<const std::byte> bytes) {
  try {
    decode_image(bytes, "test");
  } catch (const ImageError& error) {
    CHECK(std::string(error.what()) == "[image] test: " + error.reason);
    return error.reason;
  }
  return "(decoded)";
}
inline std::string reason_of(std::string_view text) {
  return reason_of(bytes_of(text));
}

inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

inline std::string big_endian(std::uint32_t value, int size) {
  std::string text;
  for (int i = size - 1; i >= 0; --i)
    text += static_cast<char>(std::uint64_t{value} >> 8 * i & 0xFF);
  return text;
}
inline std::string little_endian(std::uint32_t value, int size) {
  std::string text = big_endian(value, size);
  std::ranges::reverse(text);
  return text;
}

inline std::string png_chunk(std::string_view type, std::string_view content) {
  std::string text = big_endian(static_cast<std::uint32_t>(content.size()), 4);
  return text.append(type).append(content) + big_endian(0, 4);  // checksums are not looked at
}

// The signature and the header of a PNG. kind: 0 grey, 2 RGB, 3 palette, 4 grey and alpha, 6 RGBA.
inline std::string png_header(std::uint32_t width, std::uint32_t height, int depth = 8,
                              int kind = 2, bool interlaced = false) {
  std::string header = big_endian(width, 4) + big_endian(height, 4);
  for (int value : {depth, kind, 0, 0, int{interlaced}}) header += static_cast<char>(value);
  return "\x89PNG\r\n\x1A\n" + png_chunk("IHDR", header);
}

// A zlib stream of one block that is not compressed.
inline std::string stored(std::string_view data) {
  const auto size = static_cast<std::uint32_t>(data.size());
  return "\x78\x01\x01" + little_endian(size, 2) + little_endian(~size, 2) + std::string(data);
}

inline std::vector<std::byte> fixture(const std::string& name) {
  return read_binary_file(std::filesystem::path(TWINAGE_FIXTURES) / name, kMaxImageBytes);
}

}  // namespace twinage::test
