// Writes the JPEG that stb_image gets: segments, frame and scans, in one order and one spelling.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "train/faces/pictures/jpeg_scan.h"

namespace twinage {

class JpegWriter {
 public:
  explicit JpegWriter(std::size_t size_at_most);

  void write_segment(std::uint8_t marker, std::span<const std::byte> content);
  // Names of components become numbers, and Adobe's marker says what they are, since stb_image's
  // own rules differ from libjpeg's. `transformed`: three components are YCbCr, not RGB; four YCCK,
  // not CMYK.
  void write_frame(bool progressive, Index width, Index height,
                   std::span<const JpegComponent> components, bool transformed);
  // `content`: of the scan's header as it was read; its tables are taken over. The data follow, put
  // into bytes().
  void write_scan_header(const JpegScan& scan, std::span<const JpegComponent> components,
                         std::span<const std::byte> content);
  std::vector<std::byte>& bytes() { return bytes_; }
  std::vector<std::byte> finish();  // with the marker of the end

 private:
  void write(unsigned byte) { bytes_.push_back(static_cast<std::byte>(byte)); }
  void write_number(std::size_t number);
  void write_marker(unsigned marker);

  std::vector<std::byte> bytes_;
};

}  // namespace twinage
