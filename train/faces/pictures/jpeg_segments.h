// A JPEG file is a row of segments (ITU-T T.81, annex B), each behind a marker.
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>

namespace twinage {

// The markers that matter here (T.81, table B.1): 0xFF and then one of these.
enum JpegMarker : std::uint8_t {
  kJpegNone = 0x00,  // no marker: the file ends
  kJpegBaseline = 0xC0,
  kJpegExtended = 0xC1,
  kJpegProgressive = 0xC2,
  kJpegHuffmanTables = 0xC4,
  kJpegExtension = 0xC8,
  kJpegConditioning = 0xCC,  // of arithmetic coding
  kJpegLastFrame = 0xCF,
  kJpegRestart0 = 0xD0,
  kJpegStart = 0xD8,
  kJpegEnd = 0xD9,
  kJpegScan = 0xDA,
  kJpegQuantisation = 0xDB,
  kJpegLines = 0xDC,
  kJpegRestartInterval = 0xDD,
  kJpegApplication0 = 0xE0,   // JFIF
  kJpegApplication1 = 0xE1,   // Exif, among others
  kJpegApplication14 = 0xEE,  // Adobe
};

// The first marker at `at` or behind, whatever stands before it, and where its segment begins. In
// compressed data no 0xFF is followed by a marker of a segment, so that this leads past them.
struct JpegMarkerAt {
  std::uint8_t marker;
  std::size_t behind;
};
JpegMarkerAt next_jpeg_marker(std::span<const std::byte> jpeg, std::size_t at);
bool has_jpeg_segment(std::uint8_t marker);  // others stand alone

// Calls visit(marker, content) for every segment that has a content, in the order of the file,
// until visit returns false. The content of the last one may be cut off.
using JpegVisitor = std::function<bool(std::uint8_t marker, std::span<const std::byte> content)>;
void visit_jpeg_segments(std::span<const std::byte> jpeg, const JpegVisitor& visit);

}  // namespace twinage
