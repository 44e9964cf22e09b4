#include "train/faces/pictures/bmp_reader.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>

#include "train/faces/pictures/picture_faults.h"

namespace twinage {
namespace {

// Of the field of a pixel that `mask` selects, the upper 8 bits; a narrower one is widened by
// repeating it, so that all ones become 255.
class Channel {
 public:
  explicit Channel(std::uint32_t mask) : mask_(mask) {
    if (mask == 0) return;
    shift_ = std::countr_zero(mask);
    bits_ = std::bit_width(mask >> shift_);
  }
  std::uint8_t of(std::uint32_t pixel) const {
    if (bits_ == 0) return 0;
    const std::uint32_t value = (pixel & mask_) >> shift_;
    if (bits_ >= 8) return static_cast<std::uint8_t>(value >> (bits_ - 8));
    std::uint32_t wide = 0;
    for (int at = 8 - bits_; at > -bits_; at -= bits_) wide |= at >= 0 ? value << at : value >> -at;
    return static_cast<std::uint8_t>(wide);
  }

 private:
  std::uint32_t mask_;
  int shift_ = 0, bits_ = 0;
};

class BmpReader {
 public:
  BmpReader(std::span<const std::byte> bytes, const std::string& name)
      : bytes_(bytes), name_(name) {}

  Image read() {
    read_header();
    check_compression();
    check_picture_size(width_, height_, name_);
    if (bits_ < 16)
      read_palette();
    else
      read_masks();
    check_rows();
    Image image{width_, height_,
                std::vector<std::uint8_t>(static_cast<std::size_t>(width_ * height_ * 3))};
    for (Index row = 0; row < height_; ++row)
      read_row(bytes_.data() + pixels_at_ + static_cast<std::size_t>(row) * stride(),
               image.pixel(top_down_ ? row : height_ - 1 - row, 0));
    return image;
  }

 private:
  static constexpr std::size_t kFileHeader = 14, kInfoHeader = 40;
  enum Compression : std::uint32_t {
    kNone = 0,
    kRle8 = 1,
    kRle4 = 2,
    kBitfields = 3,
    kJpeg = 4,
    kPng = 5,
    kAlphaBitfields = 6
  };

  std::uint32_t number(std::size_t at, std::size_t size) const {
    if (at + size > bytes_.size()) fail_as_cut_off(name_, 0);
    std::uint32_t value = 0;
    for (std::size_t i = size; i-- > 0;)
      value = value << 8 | std::to_integer<std::uint32_t>(bytes_[at + i]);
    return value;
  }
  // A field of the header at `at` in the file; 0 where the header is too short to have it.
  std::uint32_t field(std::size_t at, std::size_t size = 4) const {
    return at + size <= kFileHeader + header_ ? number(at, size) : 0;
  }

  void read_header() {
    header_ = number(kFileHeader, 4);
    if (header_ != 12 && (header_ < 16 || header_ > 1024))
      fail_as_damaged(name_, fmt::format("a header of {} bytes", header_));
    const bool core = header_ == 12;  // OS/2 1.x: 16 bits for width and height
    entry_ = core ? 3 : 4;
    width_ = core ? Index{number(18, 2)} : Index{static_cast<std::int32_t>(number(18, 4))};
    height_ = core ? Index{number(20, 2)} : Index{static_cast<std::int32_t>(number(22, 4))};
    top_down_ = height_ < 0;
    height_ = std::abs(height_);
    bits_ = number(core ? 24 : 28, 2);
    compression_ = field(30);
    colours_ = field(46);
    // The masks of a header that has no room for them follow it.
    masks_at_ = kFileHeader + kInfoHeader;
    tables_at_ = kFileHeader + header_;
    if (header_ == kInfoHeader && compression_ == kBitfields) tables_at_ += 12;
    if (header_ == kInfoHeader && compression_ == kAlphaBitfields) tables_at_ += 16;
    pixels_at_ = number(10, 4);
    if (pixels_at_ == 0) {  // some writers leave it out
      const std::size_t colours = bits_ >= 16 ? 0 : colours_ ? colours_ : std::size_t{1} << bits_;
      pixels_at_ = tables_at_ + colours * entry_;
    }
    if (pixels_at_ < tables_at_)
      fail_as_damaged(name_,
                      fmt::format("its pixels begin at byte {}, within the header", pixels_at_));
  }

  void check_compression() const {
    const bool os2 = header_ < kInfoHeader || header_ == 64;  // with numbers of its own
    if (compression_ == kRle8 || compression_ == kRle4)
      fail_as_unsupported(name_, "an RLE compressed BMP");
    if (os2 && compression_ != kNone) fail_as_unsupported(name_, "a compressed OS/2 BMP");
    if (compression_ == kJpeg) fail_as_unsupported(name_, "a BMP that holds a JPEG");
    if (compression_ == kPng) fail_as_unsupported(name_, "a BMP that holds a PNG");
    if (compression_ > kAlphaBitfields)
      fail_as_unsupported(name_, fmt::format("a BMP of compression {}", compression_));
    constexpr std::array kBits = {1U, 2U, 4U, 8U, 16U, 24U, 32U};
    if (std::ranges::find(kBits, bits_) == kBits.end())
      fail_as_damaged(name_, fmt::format("{} bits a pixel", bits_));
    if (compression_ != kNone && bits_ != 16 && bits_ != 32)
      fail_as_damaged(name_, fmt::format("masks for pixels of {} bits", bits_));
  }

  // As many colours as the header says, and as fit in front of the pixels.
  void read_palette() {
    std::size_t count = std::size_t{1} << bits_;
    if (colours_ != 0) count = std::min<std::size_t>(count, colours_);
    palette_size_ = std::min(count, (pixels_at_ - tables_at_) / entry_);
    for (std::size_t i = 0; i < palette_size_; ++i)
      for (std::size_t c = 0; c < 3; ++c)  // stored as B G R
        palette_[i][c] = static_cast<std::uint8_t>(number(tables_at_ + i * entry_ + 2 - c, 1));
  }

  void read_masks() {
    if (compression_ == kNone && bits_ == 16) masks_ = {0x7C00, 0x03E0, 0x001F};
    if (compression_ == kNone) return;
    for (std::size_t c = 0; c < 3; ++c) masks_[c] = number(masks_at_ + 4 * c, 4);
    if (masks_[0] == 0 && masks_[1] == 0 && masks_[2] == 0)
      fail_as_damaged(name_, "no bit of a pixel is a colour");
  }

  std::size_t row_bytes() const { return (static_cast<std::size_t>(width_) * bits_ + 7) / 8; }
  std::size_t stride() const { return (row_bytes() + 3) / 4 * 4; }

  // The last row may lack what fills it up to a multiple of 4 bytes.
  void check_rows() const {
    const std::size_t there = bytes_.size() - std::min(bytes_.size(), pixels_at_);
    const auto rows = static_cast<std::size_t>(height_);
    if (there < (rows - 1) * stride() + row_bytes())
      fail_as_cut_off(name_, static_cast<double>(there / stride()) / static_cast<double>(rows));
  }

  void read_row(const std::byte* row, std::uint8_t* rgb) const {
    const Channel red(masks_[0]), green(masks_[1]), blue(masks_[2]);
    const std::size_t bytes = bits_ / 8;
    for (Index x = 0; x < width_; ++x, rgb += 3) {
      const auto at = static_cast<std::size_t>(x);
      if (bits_ < 16) {
        const std::size_t bit = at * bits_;
        const unsigned byte = std::to_integer<unsigned>(row[bit / 8]);
        const unsigned index = byte >> (8 - bits_ - bit % 8) & ((1U << bits_) - 1);
        if (index >= palette_size_)
          fail_as_damaged(name_, fmt::format("its palette has {} colours, a pixel asks for number "
                                             "{}",
                                             palette_size_, index + 1));
        std::ranges::copy(palette_[index], rgb);
        continue;
      }
      std::uint32_t pixel = 0;
      for (std::size_t i = bytes; i-- > 0;)
        pixel = pixel << 8 | std::to_integer<std::uint32_t>(row[at * bytes + i]);
      rgb[0] = red.of(pixel);
      rgb[1] = green.of(pixel);
      rgb[2] = blue.of(pixel);
    }
  }

  std::span<const std::byte> bytes_;
  const std::string& name_;
  std::size_t header_ = 0, entry_ = 4, masks_at_ = 0, tables_at_ = 0, pixels_at_ = 0;
  Index width_ = 0, height_ = 0;
  bool top_down_ = false;
  std::uint32_t bits_ = 0, compression_ = 0, colours_ = 0;
  std::array<std::array<std::uint8_t, 3>, 256> palette_{};
  std::size_t palette_size_ = 0;
  std::array<std::uint32_t, 3> masks_ = {0xFF0000, 0xFF00, 0xFF};
};

}  // namespace

Image read_bmp(std::span<const std::byte> bytes, const std::string& name) {
  return BmpReader(bytes, name).read();
}

}  // namespace twinage
