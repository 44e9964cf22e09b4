#include "train/faces/pictures/jpeg_segments.h"

#include <algorithm>

namespace twinage {

JpegMarkerAt next_jpeg_marker(std::span<const std::byte> jpeg, std::size_t at) {
  const auto byte = [&](std::size_t i) { return std::to_integer<std::uint8_t>(jpeg[i]); };
  for (;;) {
    while (at < jpeg.size() && byte(at) != 0xFF) ++at;
    while (at < jpeg.size() && byte(at) == 0xFF) ++at;  // any number of them
    if (at >= jpeg.size()) return {kJpegNone, jpeg.size()};
    const std::uint8_t marker = byte(at++);
    if (marker != 0) return {marker, at};  // 0: a byte 0xFF of the compressed data
  }
}

bool has_jpeg_segment(std::uint8_t marker) {
  constexpr std::uint8_t kTemporary = 0x01;
  return marker != kJpegNone && marker != kTemporary &&
         (marker < kJpegRestart0 || marker > kJpegEnd);
}

void visit_jpeg_segments(std::span<const std::byte> jpeg, const JpegVisitor& visit) {
  for (std::size_t at = 2;;) {
    const JpegMarkerAt next = next_jpeg_marker(jpeg, at);
    if (next.marker == kJpegNone || next.marker == kJpegEnd) return;
    at = next.behind;
    if (!has_jpeg_segment(next.marker)) continue;
    if (at + 2 > jpeg.size()) return;
    const std::size_t length =  // counts itself
        std::to_integer<std::size_t>(jpeg[at]) << 8 | std::to_integer<std::size_t>(jpeg[at + 1]);
    const std::size_t left = jpeg.size() - at;
    if (length < 2) return;  // nothing behind it can be found
    if (!visit(next.marker, jpeg.subspan(at + 2, std::min(length, left) - 2))) return;
    if (length >= left) return;
    at += length;
  }
}

}  // namespace twinage
