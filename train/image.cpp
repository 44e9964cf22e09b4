#include "train/image.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <utility>

#include "core/files.h"
#include "train/exif.h"
#include "train/jpeg_tables.h"
#include "train/stb.h"

namespace twinage {
namespace fs = std::filesystem;
namespace {

// Feeds stb_image from memory and notices when it asks for bytes beyond the end: it decodes many a
// truncated picture without complaint, the missing part grey or black.
class ByteSource {
 public:
  explicit ByteSource(std::span<const std::byte> bytes) : bytes_(bytes) {}

  static stbi_io_callbacks callbacks() { return {read, skip, at_end}; }
  bool overrun() const { return overrun_; }

 private:
  static int read(void* self, char* data, int size) {
    auto& source = *static_cast<ByteSource*>(self);
    const std::size_t left = source.bytes_.size() - source.at_;
    const std::size_t count = std::min(static_cast<std::size_t>(size), left);
    if (count > 0) std::memcpy(data, source.bytes_.data() + source.at_, count);
    source.at_ += count;
    // stb_image reads ahead; only who finds nothing at all needed more than there is.
    if (count == 0 && size > 0) source.overrun_ = true;
    return static_cast<int>(count);
  }

  static void skip(void* self, int count) {  // negative: back to bytes read before
    auto& source = *static_cast<ByteSource*>(self);
    const auto to = static_cast<std::ptrdiff_t>(source.at_) + count;
    const auto size = static_cast<std::ptrdiff_t>(source.bytes_.size());
    if (to > size) source.overrun_ = true;
    source.at_ = static_cast<std::size_t>(std::clamp(to, std::ptrdiff_t{0}, size));
  }

  static int at_end(void* self) {
    const auto& source = *static_cast<ByteSource*>(self);
    return source.at_ == source.bytes_.size();
  }

  std::span<const std::byte> bytes_;
  std::size_t at_ = 0;
  bool overrun_ = false;
};

struct Signature {
  std::size_t offset;
  std::string_view bytes, format;
  bool readable;
};

// In pictures saved from web pages and phones the name often promises another format than the file
// has.
constexpr Signature kSignatures[] = {
    {0, "\xFF\xD8\xFF", "JPEG", true},
    {0, "\x89PNG\r\n\x1A\n", "PNG", true},
    {0, "BM", "BMP", true},
    {0, "P5", "PGM", false},
    {0, "P6", "PPM", false},
    {0, "GIF8", "GIF", false},
    {8, "WEBP", "WebP", false},
    {0, "II*", "TIFF", false},
    {0, "MM", "TIFF", false},
    {4, "ftypheic", "HEIC", false},
    {4, "ftypavif", "AVIF", false},
};

void check_signature(std::span<const std::byte> bytes, const std::string& name) {
  if (bytes.empty()) throw ImageError(name, "the file is empty (0 bytes)");
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  for (const Signature& s : kSignatures) {
    if (text.size() < s.offset || !text.substr(s.offset).starts_with(s.bytes)) continue;
    if (s.readable) return;
    throw ImageError(name, fmt::format("it is a {} picture, which is not read: convert it to JPEG "
                                       "or PNG",
                                       s.format));
  }
  throw ImageError(name, "it is not a picture: expected JPEG, PNG or BMP");
}

[[noreturn]] void fail_to_decode(const ByteSource& source, const std::string& name) {
  if (source.overrun()) throw ImageError(name, "the picture is cut off: its data end too early");
  const std::string_view reason = stbi_failure_reason();
  if (reason == "too large")  // stb_image's own limits, reached before ours
    throw ImageError(name, fmt::format("it has more than {} pixels", kMaxImagePixels));
  throw ImageError(name, fmt::format("the picture is damaged ({})", reason));
}

// The header is looked at before anything is decoded: a few bytes can promise gigapixels.
void check_header(std::span<const std::byte> bytes, const std::string& name) {
  ByteSource source(bytes);
  const stbi_io_callbacks io = ByteSource::callbacks();
  int width = 0, height = 0, channels = 0;
  // Where this fails, decoding fails as early, but with a better reason.
  if (!stbi_info_from_callbacks(&io, &source, &width, &height, &channels)) return;
  if (width < 1 || height < 1) throw ImageError(name, "it has no pixels");
  if (Index{width} * height > kMaxImagePixels)
    throw ImageError(name, fmt::format("it has more than {} pixels", kMaxImagePixels));
}

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
  check_signature(bytes, name);
  const bool jpeg = bytes.front() == std::byte{0xFF};  // of the formats read, only JPEG begins so
  if (jpeg)
    if (const auto fault = fault_of_jpeg_tables(bytes))
      throw ImageError(name, fmt::format("the picture is damaged ({})", *fault));
  check_header(bytes, name);
  ByteSource source(bytes);
  const stbi_io_callbacks io = ByteSource::callbacks();
  int width = 0, height = 0, channels = 0;
  const std::unique_ptr<stbi_uc, void (*)(void*)> pixels(
      stbi_load_from_callbacks(&io, &source, &width, &height, &channels, STBI_rgb),
      stbi_image_free);
  if (!pixels || source.overrun()) fail_to_decode(source, name);
  Image image{width, height, {}};
  image.rgb.assign(pixels.get(), pixels.get() + image.width * image.height * 3);
  return turned_upright(std::move(image), jpeg ? exif_orientation(bytes) : 1);
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
  require(ok != 0, "[resize_square] no memory to resize {} to {} pixels a side", crop, side);
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

void write_jpeg(const fs::path& path, const Image& image, int quality) {
  check_image(image, "write_jpeg");
  require(quality >= 1 && quality <= 100, "[write_jpeg] expected a quality of 1 to 100, got {}",
          quality);
  std::vector<std::byte> bytes;
  const int ok =
      stbi_write_jpg_to_func(append_bytes, &bytes, static_cast<int>(image.width),
                             static_cast<int>(image.height), 3, image.rgb.data(), quality);
  write_encoded(path, ok != 0, bytes);
}

}  // namespace twinage
