#include "train/jpeg_tables.h"

#include <array>
#include <cstdint>

#include "train/jpeg_segments.h"

namespace twinage {
namespace {

using Fault = std::optional<std::string>;

class JpegTables {
 public:
  explicit JpegTables(std::span<const std::byte> jpeg) : jpeg_(jpeg) {}

  Fault fault() {
    Fault found;
    const bool all =
        visit_jpeg_segments(jpeg_, [&](std::uint8_t marker, std::span<const std::byte> content) {
          found = look_at(marker, content);
          return !found;
        });
    return all ? found : "a segment has no length";
  }

 private:
  Fault look_at(std::uint8_t marker, std::span<const std::byte> segment) {
    if (marker == kJpegProgressive) progressive_ = true;
    if (marker == kJpegHuffmanTables) return declare_tables(segment);
    if (marker == kJpegScan) return check_scan(segment);
    return std::nullopt;
  }

  // Each table: class (0 DC, 1 AC) and number; how many codes have 1, ..., 16 bits; their values.
  Fault declare_tables(std::span<const std::byte> segment) {
    while (!segment.empty()) {
      if (segment.size() < 17) return "a Huffman table is cut off";
      const auto head = std::to_integer<std::uint8_t>(segment[0]);
      std::size_t codes = 0;
      for (std::byte count : segment.subspan(1, 16)) codes += std::to_integer<std::size_t>(count);
      if (head >> 4 > 1 || (head & 15) > 3) return "a Huffman table has no such number";
      if (codes > 256) return "a Huffman table has more than 256 codes";
      if (segment.size() < 17 + codes) return "a Huffman table is cut off";
      declared_[head >> 4][head & 15] = true;
      segment = segment.subspan(17 + codes);
    }
    return std::nullopt;
  }

  // The number of components; for each its name and its DC and AC table; then the first and last
  // coefficient and the bits of successive approximation.
  Fault check_scan(std::span<const std::byte> segment) const {
    const std::size_t components = segment.empty() ? 0 : std::to_integer<std::size_t>(segment[0]);
    if (segment.size() < 4 + 2 * components) return "the header of a scan is cut off";
    const bool from_dc = segment[1 + 2 * components] == std::byte{0};
    for (std::size_t i = 0; i < components; ++i) {
      const auto tables = std::to_integer<std::uint8_t>(segment[2 + 2 * i]);
      const unsigned dc = tables >> 4, ac = tables & 15;
      // Progressive scans hold either DC or AC coefficients.
      if ((!progressive_ || from_dc) && !is_declared(0, dc)) return "a Huffman table is missing";
      if ((!progressive_ || !from_dc) && !is_declared(1, ac)) return "a Huffman table is missing";
    }
    return std::nullopt;
  }

  bool is_declared(std::size_t kind, std::size_t number) const {
    return number < 4 && declared_[kind][number];
  }

  std::span<const std::byte> jpeg_;
  std::array<std::array<bool, 4>, 2> declared_{};
  bool progressive_ = false;
};

}  // namespace

std::optional<std::string> fault_of_jpeg_tables(std::span<const std::byte> jpeg) {
  return JpegTables(jpeg).fault();
}

}  // namespace twinage
