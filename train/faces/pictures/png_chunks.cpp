#include "train/faces/pictures/png_chunks.h"

#include <algorithm>

namespace twinage {

std::uint32_t png_number(std::span<const std::byte> four_bytes) {
  std::uint32_t value = 0;
  for (std::byte byte : four_bytes.first(4)) value = value << 8 | std::to_integer<unsigned>(byte);
  return value;
}

void visit_png_chunks(std::span<const std::byte> png, const PngVisitor& visit) {
  constexpr std::size_t kSignature = 8, kChecksum = 4;
  for (std::size_t at = kSignature; at + 8 <= png.size();) {
    const std::size_t length = png_number(png.subspan(at));
    const std::string_view type(reinterpret_cast<const char*>(png.data() + at + 4), 4);
    at += 8;
    const std::size_t left = png.size() - at;
    if (type == "IEND" || !visit(type, png.subspan(at, std::min(length, left)))) return;
    if (length + kChecksum > left) return;
    at += length + kChecksum;
  }
}

}  // namespace twinage
