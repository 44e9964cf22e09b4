// A JPEG file is a row of segments (ITU-T T.81, annex B), each behind a marker.
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>

namespace twinage {

// The markers that matter here (T.81, table B.1): 0xFF and then one of these.
enum JpegMarker : std::uint8_t {
  kJpegProgressive = 0xC2,
  kJpegHuffmanTables = 0xC4,
  kJpegScan = 0xDA,
  kJpegApplication1 = 0xE1,  // Exif, among others
};

// Calls visit(marker, content) for every segment that has a content, in the order of the file,
// until visit returns false. The content of the last one may be cut off. Returns false when a
// segment says that it has no length: nothing behind it can be found.
using JpegVisitor = std::function<bool(std::uint8_t marker, std::span<const std::byte> content)>;
bool visit_jpeg_segments(std::span<const std::byte> jpeg, const JpegVisitor& visit);

}  // namespace twinage
