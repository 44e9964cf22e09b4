#include "train/jpeg_segments.h"

#include <algorithm>

namespace twinage {
namespace {

constexpr std::uint8_t kStuffed = 0x00;  // no marker: a byte 0xFF of the compressed data
constexpr std::uint8_t kTemporary = 0x01, kRestart0 = 0xD0, kRestart7 = 0xD7, kStart = 0xD8,
                       kEnd = 0xD9;

bool stands_alone(std::uint8_t marker) {
  return marker == kStuffed || marker == kTemporary || marker == kStart ||
         (marker >= kRestart0 && marker <= kRestart7);
}

}  // namespace

// Goes from marker to marker. In compressed data no 0xFF is followed by a marker of a segment, so
// that searching for the next one leads past it.
bool visit_jpeg_segments(std::span<const std::byte> jpeg, const JpegVisitor& visit) {
  const auto byte = [&](std::size_t at) { return std::to_integer<std::uint8_t>(jpeg[at]); };
  for (std::size_t at = 2;;) {
    while (at < jpeg.size() && byte(at) != 0xFF) ++at;
    while (at < jpeg.size() && byte(at) == 0xFF) ++at;
    if (at + 3 > jpeg.size()) return true;
    const std::uint8_t marker = byte(at++);
    if (marker == kEnd) return true;
    if (stands_alone(marker)) continue;
    const std::size_t length = std::size_t{byte(at)} << 8 | byte(at + 1);  // counts itself
    if (length < 2) return false;
    const std::size_t left = jpeg.size() - at;
    if (!visit(marker, jpeg.subspan(at + 2, std::min(length, left) - 2))) return true;
    if (length >= left) return true;
    at += length;
  }
}

}  // namespace twinage
