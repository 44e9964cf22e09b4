#include "train/exif.h"

#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>
#include <utility>

#include "train/jpeg_segments.h"

namespace twinage {
namespace {

// Exif is a small TIFF file inside a segment: a header that says the order of bytes and where the
// directory lies, then the directory, 12 bytes an entry. Reading beyond the end gives nothing.
class Tiff {
 public:
  explicit Tiff(std::span<const std::byte> bytes) : bytes_(bytes) {
    const auto begins_with = [&](std::string_view order) {
      return bytes.size() >= 4 && std::memcmp(bytes.data(), order.data(), 4) == 0;
    };
    big_endian_ = begins_with({"MM\0*", 4});
    valid_ = big_endian_ || begins_with({"II*\0", 4});
  }

  // The value of a tag of type SHORT in the first directory.
  std::optional<unsigned> short_value(unsigned tag) const {
    constexpr unsigned kShort = 3;
    const auto directory = valid_ ? number(4, 4) : std::nullopt;
    if (!directory) return std::nullopt;
    const auto entries = number(*directory, 2);
    for (std::size_t i = 0; entries && i < *entries; ++i) {
      const std::size_t at = *directory + 2 + i * 12;
      if (number(at, 2) == tag && number(at + 2, 2) == kShort) return number(at + 8, 2);
    }
    return std::nullopt;
  }

 private:
  std::optional<unsigned> number(std::size_t at, std::size_t size) const {
    if (at + size > bytes_.size()) return std::nullopt;
    unsigned value = 0;
    for (std::size_t i = 0; i < size; ++i) {
      const std::size_t next = big_endian_ ? at + i : at + size - 1 - i;
      value = value << 8 | std::to_integer<unsigned>(bytes_[next]);
    }
    return value;
  }

  std::span<const std::byte> bytes_;
  bool big_endian_ = false, valid_ = false;
};

}  // namespace

int exif_orientation(std::span<const std::byte> jpeg) {
  constexpr std::string_view kName("Exif\0\0", 6);
  constexpr unsigned kOrientation = 0x0112;
  std::optional<unsigned> found;
  visit_jpeg_segments(jpeg, [&](std::uint8_t marker, std::span<const std::byte> content) {
    if (marker == kJpegApplication1 && content.size() >= kName.size() &&
        std::memcmp(content.data(), kName.data(), kName.size()) == 0)
      found = Tiff(content.subspan(kName.size())).short_value(kOrientation);
    return !found && marker != kJpegScan;  // Exif stands in front of the picture
  });
  return found && *found >= 1 && *found <= 8 ? static_cast<int>(*found) : 1;
}

Image turned_upright(Image image, int orientation) {
  if (orientation == 1) return image;
  // What the first stored row and column are, as seen: 1 top left, 2 top right, 3 bottom right,
  // 4 bottom left; the same with rows and columns exchanged: 5 left top, 6 right top, 7 right
  // bottom, 8 left bottom.
  const bool exchanged = orientation >= 5;
  const bool rows_reversed =
      orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  const bool columns_reversed =
      orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  Image upright{image.width, image.height, std::vector<std::uint8_t>(image.rgb.size())};
  if (exchanged) std::swap(upright.width, upright.height);
  for (Index y = 0; y < upright.height; ++y)
    for (Index x = 0; x < upright.width; ++x) {
      const Index row = exchanged ? x : y, column = exchanged ? y : x;
      const std::uint8_t* from = image.pixel(rows_reversed ? image.height - 1 - row : row,
                                             columns_reversed ? image.width - 1 - column : column);
      std::memcpy(upright.pixel(y, x), from, 3);
    }
  return upright;
}

}  // namespace twinage
