#include "train/faces/pictures/png_reader.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "train/faces/pictures/picture_faults.h"
#include "train/faces/pictures/png_chunks.h"
#include "train/faces/pictures/png_inflate.h"

namespace twinage {
namespace {

enum PngColour : unsigned { kGrey = 0, kRgb = 2, kPalette = 3, kGreyAlpha = 4, kRgba = 6 };

// An interlaced picture comes as seven smaller ones (PNG, 8.2): where each begins, and its steps.
struct Pass {
  Index x, y, step_x, step_y;
};
constexpr Pass kWhole[] = {{0, 0, 1, 1}};
constexpr Pass kInterlaced[] = {{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4},
                                {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}};

std::uint8_t paeth(int left, int up, int up_left) {
  const int estimate = left + up - up_left;
  const int a = std::abs(estimate - left), b = std::abs(estimate - up),
            c = std::abs(estimate - up_left);
  return static_cast<std::uint8_t>(a <= b && a <= c ? left : b <= c ? up : up_left);
}

// PNG, 9.2. `row` and `up`, the row above, have `size` bytes; `step` back stands the same byte of
// the pixel before. False when there is no such filter.
bool unfilter(std::uint8_t* row, const std::uint8_t* up, std::size_t size, std::size_t step,
              unsigned filter) {
  const std::size_t first = std::min(step, size);
  const auto add = [](std::uint8_t& to, int value) { to = static_cast<std::uint8_t>(to + value); };
  switch (filter) {
    case 0:
      return true;
    case 1:
      for (std::size_t i = step; i < size; ++i) add(row[i], row[i - step]);
      return true;
    case 2:
      for (std::size_t i = 0; i < size; ++i) add(row[i], up[i]);
      return true;
    case 3:
      for (std::size_t i = 0; i < first; ++i) add(row[i], up[i] / 2);
      for (std::size_t i = step; i < size; ++i) add(row[i], (row[i - step] + up[i]) / 2);
      return true;
    case 4:
      for (std::size_t i = 0; i < first; ++i) add(row[i], up[i]);
      for (std::size_t i = step; i < size; ++i)
        add(row[i], paeth(row[i - step], up[i], up[i - step]));
      return true;
    default:
      return false;
  }
}

class PngReader {
 public:
  PngReader(std::span<const std::byte> bytes, const std::string& name)
      : bytes_(bytes), name_(name) {}

  Image read() {
    visit_png_chunks(bytes_, [&](std::string_view type, std::span<const std::byte> content) {
      look_at(type, content);
      return true;
    });
    if (width_ == 0) fail_as_cut_off(name_, 0);
    if (colour_ == kPalette && palette_.size() < 3)
      fail_as_damaged(name_, "its palette is missing");
    inflate_rows();
    Image image{width_, height_,
                std::vector<std::uint8_t>(static_cast<std::size_t>(width_ * height_ * 3))};
    std::uint8_t* data = rows_.data();
    for (const Pass& pass : passes()) data = read_pass(pass, data, image);
    return image;
  }

 private:
  void look_at(std::string_view type, std::span<const std::byte> content) {
    if (type == "CgBI") fail_as_unsupported(name_, "Apple's own kind of PNG (CgBI)");
    if (type == "IHDR" && width_ == 0) return read_header(content);
    if (width_ == 0) fail_as_damaged(name_, "it does not begin with its header");
    if (type == "PLTE" && palette_.empty()) palette_ = content;
    if (type == "IDAT") data_.push_back(content);
  }

  void read_header(std::span<const std::byte> content) {
    if (content.size() < 13) fail_as_cut_off(name_, 0);
    const auto byte = [&](std::size_t at) { return std::to_integer<unsigned>(content[at]); };
    const Index width = png_number(content), height = png_number(content.subspan(4));
    check_picture_size(width, height, name_);
    depth_ = byte(8);
    colour_ = byte(9);
    const bool any = depth_ == 8 || depth_ == 16, small = depth_ == 1 || depth_ == 2 || depth_ == 4;
    const bool known = colour_ == kGrey      ? any || small
                       : colour_ == kPalette ? depth_ == 8 || small
                       : colour_ == kRgb || colour_ == kGreyAlpha || colour_ == kRgba ? any
                                                                                      : false;
    if (!known) fail_as_damaged(name_, fmt::format("colours of kind {}, {} bits", colour_, depth_));
    if (byte(10) != 0 || byte(11) != 0 || byte(12) > 1)
      fail_as_damaged(name_, "a method that PNG does not have");
    interlaced_ = byte(12) == 1;
    channels_ = colour_ == kRgb ? 3 : colour_ == kRgba ? 4 : colour_ == kGreyAlpha ? 2 : 1;
    width_ = width;
    height_ = height;
  }

  std::span<const Pass> passes() const {
    return interlaced_ ? std::span<const Pass>(kInterlaced) : std::span<const Pass>(kWhole);
  }
  Index columns(const Pass& pass) const {
    return std::max<Index>(0, (width_ - pass.x + pass.step_x - 1) / pass.step_x);
  }
  Index rows(const Pass& pass) const {
    return std::max<Index>(0, (height_ - pass.y + pass.step_y - 1) / pass.step_y);
  }
  // Without the byte in front that names the filter.
  std::size_t row_bytes(const Pass& pass) const {
    return (static_cast<std::size_t>(columns(pass)) * channels_ * depth_ + 7) / 8;
  }

  void inflate_rows() {
    std::size_t size = 0, compressed = 0;
    for (const Pass& pass : passes())
      if (columns(pass) > 0) size += static_cast<std::size_t>(rows(pass)) * (1 + row_bytes(pass));
    for (const auto& part : data_) compressed += part.size();
    // No byte inflates to more than 1032: what cannot be there gets no memory.
    if (compressed < size / 1032)
      throw ImageError(name_, fmt::format("the picture is cut off: at most {} % of it is there",
                                          compressed * 1032 * 100 / size));
    rows_.resize(size);
    const Inflated got = inflate(data_, rows_);
    if (got.end == InflateEnd::kTooLarge)
      throw ImageError(name_, fmt::format("its data inflate to more than the {} bytes that a "
                                          "picture of {} x {} pixels holds",
                                          size, width_, height_));
    if (got.size == size) return;
    const double share = static_cast<double>(got.size) / static_cast<double>(size);
    if (got.end != InflateEnd::kDamaged) fail_as_cut_off(name_, share);
    fail_as_damaged(name_, fmt::format("its data make no sense behind {} % of it",
                                       static_cast<int>(share * 100)));
  }

  // Returns where the rows of the next pass begin.
  std::uint8_t* read_pass(const Pass& pass, std::uint8_t* data, Image& image) const {
    if (columns(pass) == 0) return data;
    const std::size_t size = row_bytes(pass),
                      step = std::max<std::size_t>(1, channels_ * depth_ / 8);
    const std::vector<std::uint8_t> zeros(size);
    const std::uint8_t* up = zeros.data();
    for (Index y = 0; y < rows(pass); ++y) {
      std::uint8_t* row = data + 1;
      if (!unfilter(row, up, size, step, *data))
        fail_as_damaged(name_, fmt::format("row {} has a filter {}", y, *data));
      std::uint8_t* to = image.pixel(pass.y + y * pass.step_y, pass.x);
      for (Index x = 0; x < columns(pass); ++x, to += 3 * pass.step_x)
        write_pixel(row, static_cast<std::size_t>(x), to);
      up = row;
      data = row + size;
    }
    return data;
  }

  void write_pixel(const std::uint8_t* row, std::size_t x, std::uint8_t* rgb) const {
    if (depth_ < 8) {
      const unsigned bit = static_cast<unsigned>(x * depth_ % 8), most = (1U << depth_) - 1;
      const unsigned value = row[x * depth_ / 8] >> (8 - depth_ - bit) & most;
      if (colour_ == kPalette) return write_colour(value, rgb);
      std::fill_n(rgb, 3, static_cast<std::uint8_t>(value * 255 / most));
      return;
    }
    const std::size_t sample = depth_ / 8;  // of 16 bits the upper 8 come first
    const std::uint8_t* from = row + x * channels_ * sample;
    if (colour_ == kPalette) return write_colour(*from, rgb);
    for (std::size_t c = 0; c < 3; ++c) rgb[c] = from[channels_ < 3 ? 0 : c * sample];
  }

  void write_colour(unsigned index, std::uint8_t* rgb) const {
    if (index >= palette_.size() / 3)
      fail_as_damaged(name_, fmt::format("its palette has {} colours, a pixel asks for number {}",
                                         palette_.size() / 3, index + 1));
    std::memcpy(rgb, palette_.data() + 3 * std::size_t{index}, 3);
  }

  std::span<const std::byte> bytes_, palette_;
  const std::string& name_;
  Index width_ = 0, height_ = 0;
  unsigned depth_ = 0, colour_ = 0;
  std::size_t channels_ = 0;
  bool interlaced_ = false;
  std::vector<std::span<const std::byte>> data_;
  std::vector<std::uint8_t> rows_;  // each behind the byte that names its filter
};

}  // namespace

Image read_png(std::span<const std::byte> bytes, const std::string& name) {
  return PngReader(bytes, name).read();
}

}  // namespace twinage
