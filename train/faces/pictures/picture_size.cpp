#include "train/faces/pictures/picture_size.h"

#include <cstdlib>

#include "train/faces/pictures/exif.h"
#include "train/faces/pictures/image.h"
#include "train/faces/pictures/picture_faults.h"
#include "train/faces/pictures/png_chunks.h"
#include "train/faces/pictures/stb.h"

namespace twinage {
namespace {

PictureSize size_of_jpeg(std::span<const std::byte> bytes) {
  int width = 0, height = 0, channels = 0;
  const auto* data = reinterpret_cast<const stbi_uc*>(bytes.data());
  if (stbi_info_from_memory(data, static_cast<int>(bytes.size()), &width, &height, &channels) == 0)
    return {};
  return {width, height};
}

PictureSize size_of_png(std::span<const std::byte> bytes) {
  PictureSize size;
  visit_png_chunks(bytes, [&](std::string_view type, std::span<const std::byte> content) {
    if (type == "IHDR" && content.size() >= 8)
      size = {png_number(content.subspan(0, 4)), png_number(content.subspan(4, 4))};
    return false;  // IHDR is the first chunk, or this is no PNG
  });
  return size;
}

// Least significant byte first.
Index number_at(std::span<const std::byte> bytes, std::size_t at, std::size_t size) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < size && at + i < bytes.size(); ++i)
    value |= std::to_integer<std::uint32_t>(bytes[at + i]) << (8 * i);
  return size == 4 ? static_cast<std::int32_t>(value) : static_cast<Index>(value);
}

PictureSize size_of_bmp(std::span<const std::byte> bytes) {
  constexpr std::size_t kHeader = 14;
  if (number_at(bytes, kHeader, 4) == 12)  // OS/2 1.x
    return {number_at(bytes, kHeader + 4, 2), number_at(bytes, kHeader + 6, 2)};
  // A negative height says that the first row is the uppermost.
  return {number_at(bytes, kHeader + 4, 4), std::abs(number_at(bytes, kHeader + 8, 4))};
}

PictureSize stored_size(std::span<const std::byte> bytes) {
  switch (format_of_picture(bytes, "")) {
    case PictureFormat::kJpeg:
      return size_of_jpeg(bytes);
    case PictureFormat::kPng:
      return size_of_png(bytes);
    case PictureFormat::kBmp:
      break;
  }
  return size_of_bmp(bytes);
}

}  // namespace

std::optional<PictureSize> picture_size(std::span<const std::byte> picture) {
  if (picture.size() > kMaxImageBytes) return {};
  try {
    const PictureSize size = stored_size(picture);
    check_picture_size(size.width, size.height, "");
    const bool lies = exif_orientation(picture) >= 5;
    return lies ? PictureSize{size.height, size.width} : size;
  } catch (const ImageError&) {
    return {};
  }
}

}  // namespace twinage
