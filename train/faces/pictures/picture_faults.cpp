#include "train/faces/pictures/picture_faults.h"

#include <algorithm>

#include "train/faces/pictures/image.h"

namespace twinage {
namespace {

struct Signature {
  std::size_t offset;
  std::string_view bytes, format;
};

// In pictures saved from web pages and phones the name often promises another format than the file
// has.
constexpr Signature kUnsupported[] = {
    {0, "GIF8", "GIF"},
    {8, "WEBP", "WebP"},
    {0, {"II*\0", 4}, "TIFF"},
    {0, {"MM\0*", 4}, "TIFF"},
    {0, {"II+\0", 4}, "BigTIFF"},
    {0, {"MM\0+", 4}, "BigTIFF"},
    {0, "\xFF\x0A", "JPEG XL"},
    {4, "JXL \r\n\x87\n", "JPEG XL"},
    {4, "jP  \r\n\x87\n", "JPEG 2000"},
    {0, "\xFF\x4F\xFF\x51", "JPEG 2000"},
    {0, "8BPS", "Photoshop's PSD"},
    {0, {"\0\0\1\0", 4}, "ICO"},
    {0, {"\0\0\2\0", 4}, "CUR"},
    {0, "BA", "OS/2's array of BMP pictures"},
    {0, "P1", "PBM"},
    {0, "P2", "PGM"},
    {0, "P3", "PPM"},
    {0, "P4", "PBM"},
    {0, "P5", "PGM"},
    {0, "P6", "PPM"},
    {0, "P7", "PAM"},
    {0, "\x8AMNG", "MNG"},
    {0, "\x8BJNG", "JNG"},
    {0, "qoif", "QOI"},
    {0, "DDS ", "DDS"},
    {0, "\x76\x2F\x31\x01", "OpenEXR"},
    {0, "#?RADIANCE", "Radiance HDR"},
    {0, "gimp xcf", "GIMP's XCF"},
    {0, "BPG\xFB", "BPG"},
    {0, "%PDF", "PDF"},
    {0, "%!PS", "PostScript"},
    {0, "<svg", "SVG"},
};

// An ISO base media file (ISO/IEC 14496-12) begins with a box "ftyp": its length, "ftyp", the major
// brand, a version, and the other brands that the file obeys.
std::string_view format_of_brands(std::string_view text) {
  constexpr std::string_view kAvif = "avif avis avio ";
  constexpr std::string_view kHeif =
      "heic heix heim heis hevc hevx hevm hevs mif1 mif2 msf1 miaf MiHE MiHB jpeg jpgs avci avcs "
      "vvic evbi j2ki ";
  const std::size_t length =
      static_cast<unsigned char>(text[2]) * std::size_t{256} + static_cast<unsigned char>(text[3]);
  text = text.substr(0, std::max<std::size_t>(length, 12));
  bool heif = false;
  for (std::size_t at = 8; at + 4 <= text.size(); at += at == 8 ? 8 : 4) {
    const std::string brand = std::string(text.substr(at, 4)) + ' ';
    if (kAvif.find(brand) != std::string_view::npos) return "AVIF";
    if (brand == "crx  ") return "Canon's CR3";
    heif = heif || kHeif.find(brand) != std::string_view::npos;
  }
  return heif ? "HEIF (HEIC)" : "an ISO media file (a video?)";
}

}  // namespace

PictureFormat format_of_picture(std::span<const std::byte> bytes, const std::string& name) {
  if (bytes.empty()) throw ImageError(name, "the file is empty (0 bytes)");
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (text.starts_with("\xFF\xD8\xFF")) {
    if (text.size() > 3 && text[3] == '\xF7') fail_as_unsupported(name, "JPEG-LS");
    return PictureFormat::kJpeg;
  }
  if (text.starts_with("\x89PNG\r\n\x1A\n")) return PictureFormat::kPng;
  if (text.starts_with("BM")) return PictureFormat::kBmp;
  if (text.size() >= 12 && text.substr(4, 4) == "ftyp")
    fail_as_unsupported(name, format_of_brands(text));
  for (const Signature& s : kUnsupported)
    if (text.size() > s.offset && text.substr(s.offset).starts_with(s.bytes))
      fail_as_unsupported(name, s.format);
  throw ImageError(name, "it is not a picture: expected JPEG, PNG or BMP");
}

void fail_as_cut_off(const std::string& name, double share) {
  // Rounded down: what is not all there never reads 100 %.
  const int percent = std::clamp(static_cast<int>(share * 100), 0, 99);
  throw ImageError(name, fmt::format("the picture is cut off: {} % of it is there", percent));
}

void fail_as_damaged(const std::string& name, std::string_view what) {
  throw ImageError(name, fmt::format("the picture is damaged ({})", what));
}

void fail_as_unsupported(const std::string& name, std::string_view what) {
  throw ImageError(name, fmt::format("{} is not supported: convert it to JPEG or PNG", what));
}

void check_picture_size(Index width, Index height, const std::string& name) {
  if (width < 1 || height < 1) throw ImageError(name, "it has no pixels");
  if (width > kMaxImagePixels || height > kMaxImagePixels || width * height > kMaxImagePixels)
    throw ImageError(name, fmt::format("it has more than {} pixels", kMaxImagePixels));
}

}  // namespace twinage
