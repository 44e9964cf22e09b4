#include "train/faces/pictures/exif.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "train/faces/pictures/jpeg_segments.h"
#include "train/faces/pictures/png_chunks.h"
#include "train/faces/pictures/png_inflate.h"

namespace twinage {
namespace {

// Exif is a small TIFF file inside a segment: a header that says the order of bytes and where the
// directory lies, then the directory, 12 bytes an entry. Reading beyond the end gives nothing.
class Tiff {
 public:
  explicit Tiff(std::span<const std::byte> bytes) : bytes_(bytes) {
    const auto begins_with = [&](std::string_view order) {
      return bytes.size() >= 4 && std::memcmp(bytes.data(), order.data(), 4) == 0;
    };
    big_endian_ = begins_with({"MM\0*", 4});
    valid_ = big_endian_ || begins_with({"II*\0", 4});
  }

  // The whole number that a tag of the first directory holds, whatever type it has: writers differ.
  std::optional<unsigned> value(unsigned tag) const {
    const auto directory = valid_ ? number(4, 4) : std::nullopt;
    if (!directory) return std::nullopt;
    const auto entries = number(*directory, 2);
    for (std::size_t i = 0; entries && i < *entries; ++i) {
      const std::size_t at = *directory + std::size_t{2} + i * 12;
      const auto found = number(at, 2);
      if (!found) return std::nullopt;
      if (*found == tag) return value_of_entry(at);
    }
    return std::nullopt;
  }

 private:
  std::optional<unsigned> value_of_entry(std::size_t at) const {
    switch (number(at + 2, 2).value_or(0)) {
      case 1:  // BYTE
      case 6:  // SBYTE
        return number(at + 8, 1);
      case 3:  // SHORT
      case 8:  // SSHORT
        return number(at + 8, 2);
      case 4:  // LONG
      case 9:  // SLONG
        return number(at + 8, 4);
      case 5:     // RATIONAL, elsewhere in the file
      case 10: {  // SRATIONAL
        const auto where = number(at + 8, 4);
        const auto above = where ? number(*where, 4) : std::nullopt;
        const auto below = where ? number(std::size_t{*where} + 4, 4) : std::nullopt;
        if (!above || !below || *below == 0 || *above % *below != 0) return std::nullopt;
        return *above / *below;
      }
      default:
        return std::nullopt;
    }
  }

  std::optional<unsigned> number(std::size_t at, std::size_t size) const {
    if (at + size > bytes_.size()) return std::nullopt;
    unsigned value = 0;
    for (std::size_t i = 0; i < size; ++i) {
      const std::size_t next = big_endian_ ? at + i : at + size - 1 - i;
      value = value << 8 | std::to_integer<unsigned>(bytes_[next]);
    }
    return value;
  }

  std::span<const std::byte> bytes_;
  bool big_endian_ = false, valid_ = false;
};

using Orientation = std::optional<unsigned>;

Orientation sensible(Orientation value) {
  return value && *value >= 1 && *value <= 8 ? value : std::nullopt;
}

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

Orientation of_tiff(std::span<const std::byte> tiff) {
  constexpr unsigned kOrientation = 0x0112;
  return sensible(Tiff(tiff).value(kOrientation));
}

// In Exif's own wrapping, which APP1 segments have and some PNGs too.
constexpr std::string_view kExif("Exif\0", 5);
Orientation of_exif(std::span<const std::byte> content) {
  if (content.size() <= kExif.size() || !text_of(content).starts_with(kExif)) return std::nullopt;
  return of_tiff(content.subspan(kExif.size() + 1));
}

// XMP is XML: tiff:Orientation="6", or <tiff:Orientation>6</tiff:Orientation>.
Orientation of_xmp(std::string_view xml) {
  constexpr std::string_view kName = "tiff:Orientation";
  const std::size_t at = xml.find(kName);
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view rest = xml.substr(at + kName.size());
  const std::size_t digit = rest.find_first_not_of("= \t\r\n\"'>");
  if (digit == 0 || digit == std::string_view::npos) return std::nullopt;
  return sensible(static_cast<unsigned>(rest[digit]) - '0');
}

int of_jpeg(std::span<const std::byte> jpeg) {
  Orientation exif, xmp;
  visit_jpeg_segments(jpeg, [&](std::uint8_t marker, std::span<const std::byte> content) {
    if (marker == kJpegApplication1) {
      if (!exif) exif = of_exif(content);
      if (!xmp && text_of(content).starts_with("http://ns.adobe.com/xap/")) {
        xmp = of_xmp(text_of(content));
      }
    }
    return !exif && marker != kJpegScan;  // Exif stands in front of the picture
  });
  return static_cast<int>(exif.value_or(xmp.value_or(1)));
}

// What a text chunk says: behind its keyword and a zero byte the text, in zTXt after one more byte
// as a zlib stream. Of that no more is inflated than an orientation can need.
std::string text_of_chunk(std::string_view type, std::span<const std::byte> content) {
  const std::size_t zero = text_of(content).find('\0');
  if (zero == std::string_view::npos) return {};
  if (type != "zTXt") return std::string(text_of(content).substr(zero + 1));
  constexpr std::size_t kEnough = 256 << 10;
  if (zero + 2 > content.size()) return {};
  std::vector<std::uint8_t> text(kEnough);
  const std::size_t size = inflate(std::array{content.subspan(zero + 2)}, text).size;
  return {text.begin(), text.begin() + static_cast<std::ptrdiff_t>(size)};
}

// ImageMagick's way before PNG had eXIf: a line feed, the word "exif", the number of bytes, and the
// bytes in hexadecimal.
Orientation of_raw_profile(std::string_view text) {
  const auto next_word = [&] {
    text.remove_prefix(std::min(text.find_first_not_of(" \n"), text.size()));
    const std::string_view word = text.substr(0, text.find_first_of(" \n"));
    text.remove_prefix(word.size());
    return word;
  };
  next_word();  // its name
  next_word();  // its size
  std::vector<std::byte> bytes;
  unsigned high = 16;
  for (char c : text) {
    const std::size_t digit = std::string_view("0123456789abcdefABCDEF").find(c);
    if (digit == std::string_view::npos) continue;
    const auto value = static_cast<unsigned>(digit < 16 ? digit : digit - 6);
    if (high < 16) bytes.push_back(static_cast<std::byte>(high << 4 | value));
    high = high < 16 ? 16 : value;
  }
  const Orientation wrapped = of_exif(bytes);
  return wrapped ? wrapped : of_tiff(bytes);
}

int of_png(std::span<const std::byte> png) {
  Orientation exif, profile, xmp;
  bool profile_seen = false;  // one is inflated, however many there are
  visit_png_chunks(png, [&](std::string_view type, std::span<const std::byte> content) {
    const std::string_view text = text_of(content);
    if (type == "eXIf") {
      exif = of_tiff(content);
      if (!exif) exif = of_exif(content);
    }
    if ((type == "tEXt" || type == "zTXt") && !profile_seen &&
        (text.starts_with("Raw profile type exif") || text.starts_with("Raw profile type APP1"))) {
      profile_seen = true;
      profile = of_raw_profile(text_of_chunk(type, content));
    }
    if (type == "iTXt" && !xmp && text.starts_with("XML:com.adobe.xmp")) xmp = of_xmp(text);
    return !exif;
  });
  return static_cast<int>(exif.value_or(profile.value_or(xmp.value_or(1))));
}

}  // namespace

int exif_orientation(std::span<const std::byte> picture) {
  if (text_of(picture).starts_with("\xFF\xD8")) return of_jpeg(picture);
  if (text_of(picture).starts_with("\x89PNG")) return of_png(picture);
  return 1;
}

Image turned_upright(Image image, int orientation) {
  if (orientation == 1) return image;
  // What the first stored row and column are, as seen: 1 top left, 2 top right, 3 bottom right,
  // 4 bottom left; the same with rows and columns exchanged: 5 left top, 6 right top, 7 right
  // bottom, 8 left bottom.
  const bool exchanged = orientation >= 5;
  const bool rows_reversed =
      orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  const bool columns_reversed =
      orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  Image upright{image.width, image.height, std::vector<std::uint8_t>(image.rgb.size())};
  if (exchanged) std::swap(upright.width, upright.height);
  for (Index y = 0; y < upright.height; ++y)
    for (Index x = 0; x < upright.width; ++x) {
      const Index row = exchanged ? x : y, column = exchanged ? y : x;
      const std::uint8_t* from = image.pixel(rows_reversed ? image.height - 1 - row : row,
                                             columns_reversed ? image.width - 1 - column : column);
      std::memcpy(upright.pixel(y, x), from, 3);
    }
  return upright;
}

}  // namespace twinage
