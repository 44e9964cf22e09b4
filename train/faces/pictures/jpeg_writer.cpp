#include "train/faces/pictures/jpeg_writer.h"

#include <array>
#include <cstring>
#include <utility>

#include "train/faces/pictures/jpeg_segments.h"

namespace twinage {

JpegWriter::JpegWriter(std::size_t size_at_most) {
  bytes_.reserve(size_at_most);
  write_marker(kJpegStart);
}

std::vector<std::byte> JpegWriter::finish() {
  write_marker(kJpegEnd);
  return std::move(bytes_);
}

void JpegWriter::write_number(std::size_t number) {
  write(static_cast<unsigned>(number >> 8 & 255));
  write(static_cast<unsigned>(number & 255));
}

void JpegWriter::write_marker(unsigned marker) {
  write(0xFF);
  write(marker);
}

void JpegWriter::write_segment(std::uint8_t marker, std::span<const std::byte> content) {
  write_marker(marker);
  write_number(content.size() + 2);
  bytes_.insert(bytes_.end(), content.begin(), content.end());
}

void JpegWriter::write_frame(bool progressive, Index width, Index height,
                             std::span<const JpegComponent> components, bool transformed) {
  if (components.size() >= 3) {
    std::array<std::byte, 12> adobe{};
    std::memcpy(adobe.data(), "Adobe", 5);
    const int transform = !transformed ? 0 : components.size() == 4 ? 2 : 1;
    adobe[11] = static_cast<std::byte>(transform);
    write_segment(kJpegApplication14, adobe);
  }
  write_marker(progressive ? kJpegProgressive : kJpegExtended);
  write_number(8 + 3 * components.size());
  write(8);
  write_number(static_cast<std::size_t>(height));
  write_number(static_cast<std::size_t>(width));
  write(static_cast<unsigned>(components.size()));
  for (std::size_t i = 0; i < components.size(); ++i) {
    write(static_cast<unsigned>(i + 1));
    write(static_cast<unsigned>(components[i].h << 4 | components[i].v));
    write(components[i].quantisation);
  }
}

void JpegWriter::write_scan_header(const JpegScan& scan, std::span<const JpegComponent> components,
                                   std::span<const std::byte> content) {
  write_marker(kJpegScan);
  write_number(6 + 2 * scan.components.size());
  write(static_cast<unsigned>(scan.components.size()));
  for (std::size_t i = 0; i < scan.components.size(); ++i) {
    const JpegScanComponent& c = scan.components[i];
    write(static_cast<unsigned>(c.component - components.data() + 1));
    // A table that the scan does not use may be none at all, which stb_image would refuse.
    const auto tables = std::to_integer<unsigned>(content[2 + 2 * i]);
    write((c.dc ? tables & 0xF0 : 0) | (c.ac ? tables & 0x0F : 0));
  }
  write(scan.first);
  write(scan.last);
  write(scan.approximation);
}

}  // namespace twinage
