#include "train/faces/pictures/jpeg_huffman.h"

#include <algorithm>

namespace twinage {

bool JpegHuffman::set(std::span<const std::byte> counts, std::span<const std::byte> values) {
  *this = {};
  std::ranges::transform(values, values_.begin(),
                         [](std::byte value) { return std::to_integer<std::uint8_t>(value); });
  std::uint32_t code = 0;
  std::size_t index = 0;
  for (int n = 1; n <= 16; ++n) {
    const auto count = std::to_integer<std::uint32_t>(counts[static_cast<std::size_t>(n - 1)]);
    offset_[static_cast<std::size_t>(n)] =
        static_cast<std::int32_t>(index) - static_cast<std::int32_t>(code);
    if (code + count > 1U << n) return false;
    for (std::uint32_t i = 0; i < count; ++i, ++code, ++index) {
      if (n > kFastBits) continue;
      const auto entry = static_cast<std::uint16_t>(n << 8 | values_[index]);
      std::fill_n(fast_.begin() + (code << (kFastBits - n)), std::size_t{1} << (kFastBits - n),
                  entry);
    }
    end_[static_cast<std::size_t>(n)] = code << (16 - n);
    code <<= 1;
  }
  return true;
}

unsigned JpegHuffman::slow(unsigned bits) const {
  for (unsigned n = kFastBits + 1; n <= 16; ++n)
    if (bits < end_[n]) {
      const auto index = static_cast<std::int32_t>(bits >> (16 - n)) + offset_[n];
      return n << 8 | values_[static_cast<std::size_t>(index)];
    }
  return 0;
}

JpegDataByte next_jpeg_data_byte(std::span<const std::byte> jpeg, std::size_t at) {
  if (at >= jpeg.size()) return {0, 0};
  const auto first = std::to_integer<std::uint8_t>(jpeg[at]);
  if (first != 0xFF) return {1, first};
  std::size_t behind = at + 1;
  while (behind < jpeg.size() && jpeg[behind] == std::byte{0xFF}) ++behind;  // fill bytes
  if (behind == jpeg.size() || jpeg[behind] != std::byte{0}) return {0, 0};
  return {behind + 1 - at, 0xFF};
}

void JpegBits::fill_bytewise() {
  while (bits_ <= 48) {
    const JpegDataByte next = next_jpeg_data_byte(jpeg_, at_);
    if (next.length == 0) return;
    at_ += next.length;
    buffer_ |= std::uint64_t{next.value} << (56 - bits_);
    bits_ += 8;
  }
}

std::size_t JpegBits::end() const {
  if (bits_ < 8) return at_;
  std::size_t loaded = 0, at = begin_;
  for (; at < at_; ++loaded) at += next_jpeg_data_byte(jpeg_, at).length;
  const std::size_t used = loaded - static_cast<std::size_t>(bits_ / 8);
  at = begin_;
  for (std::size_t i = 0; i < used; ++i) at += next_jpeg_data_byte(jpeg_, at).length;
  return at;
}

}  // namespace twinage
