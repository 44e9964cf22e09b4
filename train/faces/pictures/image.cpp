#include "train/faces/pictures/image.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

#include "core/files.h"
#include "train/faces/pictures/bmp_reader.h"
#include "train/faces/pictures/exif.h"
#include "train/faces/pictures/jpeg_reader.h"
#include "train/faces/pictures/picture_faults.h"
#include "train/faces/pictures/png_reader.h"
#include "train/faces/pictures/stb.h"

namespace twinage {
namespace fs = std::filesystem;
namespace {

void append_bytes(void* context, void* data, int size) {
  const auto* first = static_cast<const std::byte*>(data);
  auto& bytes = *static_cast<std::vector<std::byte>*>(context);
  bytes.insert(bytes.end(), first, first + size);
}

void write_encoded(const fs::path& path, bool encoded, std::span<const std::byte> bytes) {
  require(encoded, "[image] cannot encode {}", path.string());
  write_file_atomically(path, std::span(&bytes, 1));
}

void check_image(const Image& image, const char* operation) {
  require(image.width >= 1 && image.height >= 1 &&
              static_cast<Index>(image.rgb.size()) == image.width * image.height * 3,
          "[{}] expected width * height * 3 bytes of pixels, got {} x {} with {} bytes", operation,
          image.width, image.height, image.rgb.size());
}

}  // namespace

bool has_picture_extension(const fs::path& path) {
  std::string extension = path.extension().string();
  for (char& c : extension)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  // Followed by a space, so that .jp is not found in .jpg.
  return !extension.empty() &&
         (std::string(kPictureExtensions) + ' ').find(extension + ' ') != std::string::npos;
}

Image decode_image(std::span<const std::byte> bytes, const std::string& name) {
  if (bytes.size() > kMaxImageBytes)
    throw ImageError(name, fmt::format("the file has {} bytes, more than the {} allowed",
                                       bytes.size(), kMaxImageBytes));
  switch (format_of_picture(bytes, name)) {
    case PictureFormat::kJpeg:
      return turned_upright(read_jpeg(bytes, name), exif_orientation(bytes));
    case PictureFormat::kPng:
      return turned_upright(read_png(bytes, name), exif_orientation(bytes));
    case PictureFormat::kBmp:
      break;
  }
  return read_bmp(bytes, name);  // which has no Exif
}

Image read_image(const fs::path& path) {
  return decode_image(read_binary_file(path, kMaxImageBytes), path.string());
}

Image resize_square(const Image& image, Index side) {
  check_image(image, "resize_square");
  require(side >= 1 && side * side <= kMaxImagePixels,
          "[resize_square] expected a side of 1 to {} pixels, got {}", 8192, side);
  const Index crop = std::min(image.width, image.height);
  const std::uint8_t* first = image.pixel((image.height - crop) / 2, (image.width - crop) / 2);
  const auto stride = static_cast<int>(image.width * 3);
  Image square{side, side, std::vector<std::uint8_t>(static_cast<std::size_t>(side * side * 3))};
  if (crop == side) {
    for (Index y = 0; y < side; ++y)
      std::memcpy(square.pixel(y, 0), first + y * stride, static_cast<std::size_t>(side * 3));
    return square;
  }
  // The filters are stb's own choice: Mitchell's when shrinking, widened by the ratio (that is what
  // keeps fine patterns from turning into false ones), Catmull and Rom's when enlarging.
  const int ok =
      stbir_resize_uint8(first, static_cast<int>(crop), static_cast<int>(crop), stride,
                         square.rgb.data(), static_cast<int>(side), static_cast<int>(side), 0, 3);
  if (ok == 0) throw std::bad_alloc();  // it fails for nothing else
  return square;
}

void write_png(const fs::path& path, const Image& image) {
  check_image(image, "write_png");
  std::vector<std::byte> bytes;
  const int ok = stbi_write_png_to_func(append_bytes, &bytes, static_cast<int>(image.width),
                                        static_cast<int>(image.height), 3, image.rgb.data(),
                                        static_cast<int>(image.width * 3));
  write_encoded(path, ok != 0, bytes);
}

std::vector<std::byte> encode_jpeg(const Image& image, int quality) {
  check_image(image, "encode_jpeg");
  require(quality >= 1 && quality <= 100, "[encode_jpeg] expected a quality of 1 to 100, got {}",
          quality);
  std::vector<std::byte> bytes;
  const int ok =
      stbi_write_jpg_to_func(append_bytes, &bytes, static_cast<int>(image.width),
                             static_cast<int>(image.height), 3, image.rgb.data(), quality);
  if (ok == 0) throw std::bad_alloc();  // it writes to memory alone
  return bytes;
}

void write_jpeg(const fs::path& path, const Image& image, int quality) {
  write_encoded(path, true, encode_jpeg(image, quality));
}

}  // namespace twinage
