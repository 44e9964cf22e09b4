// The Huffman codes of a JPEG, walked through without decoding what they stand for.
#pragma once
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace twinage {

// A table as DHT segments declare it (T.81, annex C).
class JpegHuffman {
 public:
  // counts: how many codes have 1, ..., 16 bits; values: what they stand for, at most 256. False
  // when there cannot be so many codes of these lengths.
  bool set(std::span<const std::byte> counts, std::span<const std::byte> values);

  static constexpr int kFastBits = 9;
  // Length of the code * 256 + its value, for codes that begin with these bits; 0: longer, or none.
  std::uint16_t fast(unsigned bits) const { return fast_[bits]; }
  // The same for a code of any length at the head of 16 bits.
  unsigned slow(unsigned bits) const;

 private:
  std::array<std::uint16_t, 1 << kFastBits> fast_{};
  std::array<std::uint32_t, 17> end_{};    // codes of n bits, filled up to 16, lie below end_[n]
  std::array<std::int32_t, 17> offset_{};  // of the value of a code of n bits
  std::array<std::uint8_t, 256> values_{};
};

// The bits of a stretch of compressed data, up to the next marker.
class JpegBits {
 public:
  JpegBits(std::span<const std::byte> jpeg, std::size_t at) : jpeg_(jpeg), begin_(at), at_(at) {}

  // The next value, or -1: then is_cut_off() tells whether the data ended or make no sense. The
  // value's lower four bits say how many more bits belong to it; they are skipped.
  int value(const JpegHuffman& table) {
    if (bits_ < 32) fill();
    unsigned entry = table.fast(static_cast<unsigned>(buffer_ >> (64 - JpegHuffman::kFastBits)));
    if (entry == 0) entry = table.slow(static_cast<unsigned>(buffer_ >> 48));
    const int length = static_cast<int>((entry >> 8) + (entry & 15));
    // Beyond the data stand zeros; a code that needs them is cut off.
    cut_off_ = length > bits_ || (entry == 0 && bits_ < 16);
    if (cut_off_ || entry == 0) return -1;
    buffer_ <<= length;
    bits_ -= length;
    return static_cast<int>(entry & 255);
  }

  // The next `count` bits, 1 to 15; -1 where the data end.
  int number(int count) {
    if (bits_ < 32) fill();
    cut_off_ = count > bits_;
    if (cut_off_) return -1;
    const int value = static_cast<int>(buffer_ >> (64 - count));
    buffer_ <<= count;
    bits_ -= count;
    return value;
  }

  bool is_cut_off() const { return cut_off_; }
  // Where the data that were used end: at the byte behind the last one that had a bit read.
  std::size_t end() const;

 private:
  void fill() {
    std::uint32_t four = 0;
    if (at_ + 4 <= jpeg_.size()) {
      std::memcpy(&four, jpeg_.data() + at_, 4);
      const std::uint32_t inverse = ~four;  // has a byte 0 where there is a 0xFF
      if (((inverse - 0x01010101U) & four & 0x80808080U) == 0) {
        buffer_ |= std::uint64_t{big_endian(four)} << (32 - bits_);
        bits_ += 32;
        at_ += 4;
        return;
      }
    }
    fill_bytewise();
  }
  static std::uint32_t big_endian(std::uint32_t four) {
    if constexpr (std::endian::native == std::endian::big) return four;
    return __builtin_bswap32(four);
  }
  void fill_bytewise();

  std::span<const std::byte> jpeg_;
  std::size_t begin_, at_;
  std::uint64_t buffer_ = 0;  // the next bits, from the top
  int bits_ = 0;
  bool cut_off_ = false;
};

// Behind how many bytes at `at` the next byte of compressed data stands, and which it is: 0xFF is
// followed by a zero that does not count. length 0: a marker or the end of the file.
struct JpegDataByte {
  std::size_t length;
  std::uint8_t value;
};
JpegDataByte next_jpeg_data_byte(std::span<const std::byte> jpeg, std::size_t at);

}  // namespace twinage
