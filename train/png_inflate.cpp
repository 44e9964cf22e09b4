#include "train/png_inflate.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace twinage {
namespace {

constexpr int kMaxLength = 15;  // of a code, in bits

// A Huffman code given by the lengths of its codes. Short codes are looked up, longer ones found
// length by length.
class Code {
 public:
  // False when the lengths ask for more codes than there are. Fewer are allowed: a stream whose
  // distances are all alike has a single code.
  bool set(std::span<const std::uint8_t> lengths) {
    count_.fill(0);
    fast_.fill(0);
    for (std::uint8_t length : lengths) ++count_[length];
    count_[0] = 0;
    std::array<std::uint16_t, kMaxLength + 2> first{}, place{};
    int left = 1;
    for (std::size_t n = 1; n <= kMaxLength; ++n) {
      left = 2 * left - count_[n];
      if (left < 0) return false;
      first[n + 1] = static_cast<std::uint16_t>((first[n] + count_[n]) << 1);
      place[n + 1] = static_cast<std::uint16_t>(place[n] + count_[n]);
    }
    for (std::size_t symbol = 0; symbol < lengths.size(); ++symbol) {
      const unsigned length = lengths[symbol];
      if (length == 0) continue;
      symbols_[place[length]++] = static_cast<std::uint16_t>(symbol);
      const unsigned code = first[length]++;
      if (length > kFastBits) continue;
      unsigned reversed = 0;  // codes come with their first bit lowest
      for (unsigned i = 0; i < length; ++i) reversed |= (code >> i & 1U) << (length - 1 - i);
      for (unsigned at = reversed; at < fast_.size(); at += 1U << length)
        fast_[at] = static_cast<std::uint16_t>(symbol << 4 | length);
    }
    return true;
  }

  // The symbol that the lowest bits spell, and how many bits it has; length 0 when none.
  struct Found {
    unsigned symbol, length;
  };
  Found find(std::uint64_t bits) const {
    if (const unsigned entry = fast_[bits & (fast_.size() - 1)]) return {entry >> 4, entry & 15};
    unsigned code = 0, first = 0, index = 0;
    for (unsigned n = 1; n <= kMaxLength; ++n, bits >>= 1) {
      code |= bits & 1;
      const unsigned count = count_[n];
      if (code < first + count) return {symbols_[index + code - first], n};
      index += count;
      first = (first + count) << 1;
      code <<= 1;
    }
    return {0, 0};
  }

 private:
  static constexpr unsigned kFastBits = 10;
  std::array<std::uint16_t, 1U << kFastBits> fast_{};  // symbol * 16 + length; 0: longer, or none
  std::array<std::uint16_t, kMaxLength + 1> count_{};
  std::array<std::uint16_t, 288> symbols_{};
};

class Inflater {
 public:
  Inflater(std::span<const std::byte> input, std::span<std::uint8_t> output)
      : input_(input), output_(output) {}

  Inflated run() {
    if (!header()) return {0, end_};
    for (bool last = false; !last;) {
      const unsigned head = take(3);
      if (end_ != InflateEnd::kComplete) break;
      last = head & 1;
      if (!block(head >> 1)) break;
    }
    return {written_, end_};
  }

 private:
  bool stop(InflateEnd end) {
    end_ = end;
    return false;
  }

  void fill() {
    if (at_ + 8 <= input_.size()) {
      while (bits_ <= 56) add();
      return;
    }
    while (bits_ <= 56 && at_ < input_.size()) add();
  }
  void add() {
    buffer_ |= std::to_integer<std::uint64_t>(input_[at_++]) << bits_;
    bits_ += 8;
  }
  bool drop(unsigned count) {
    if (count > bits_) return stop(InflateEnd::kCutOff);
    buffer_ >>= count;
    bits_ -= count;
    return true;
  }
  // The next bits, at most 16; ends the run where there are not so many.
  unsigned take(unsigned count) {
    if (bits_ < count) fill();
    const auto value = static_cast<unsigned>(buffer_ & ((std::uint64_t{1} << count) - 1));
    return drop(count) ? value : 0;
  }
  bool symbol(const Code& code, unsigned& value) {
    if (bits_ < 32) fill();
    const Code::Found found = code.find(buffer_);
    // Beyond the input stand zeros; a code that needs them is cut off, not wrong.
    if (found.length == 0)
      return stop(bits_ < kMaxLength ? InflateEnd::kCutOff : InflateEnd::kDamaged);
    value = found.symbol;
    return drop(found.length);
  }

  bool header() {
    const unsigned method = take(8), flags = take(8);
    if (end_ != InflateEnd::kComplete) return false;
    const bool deflate = (method & 15) == 8 && (method * 256 + flags) % 31 == 0;
    const bool dictionary = flags & 32;
    return (deflate && !dictionary) || stop(InflateEnd::kDamaged);
  }

  bool block(unsigned type) {
    if (type == 0) return stored();
    if (type == 1) {
      std::array<std::uint8_t, 288> lengths{};
      for (std::size_t i = 0; i < lengths.size(); ++i)
        lengths[i] = static_cast<std::uint8_t>(i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8);
      std::array<std::uint8_t, 30> distances{};
      distances.fill(5);
      return literal_.set(lengths) && distance_.set(distances) && compressed();
    }
    if (type == 2) return declared_codes() && compressed();
    return stop(InflateEnd::kDamaged);
  }

  bool stored() {
    drop(bits_ % 8);
    const unsigned size = take(16), complement = take(16);
    if (end_ != InflateEnd::kComplete) return false;
    if ((size ^ complement) != 0xFFFF) return stop(InflateEnd::kDamaged);
    at_ -= bits_ / 8;  // whole bytes that were read ahead
    buffer_ = bits_ = 0;
    const std::size_t there = std::min<std::size_t>(size, input_.size() - at_);
    const std::size_t room = std::min(there, output_.size() - written_);
    if (room > 0) std::memcpy(output_.data() + written_, input_.data() + at_, room);
    at_ += room;
    written_ += room;
    if (room < there) return stop(InflateEnd::kTooLarge);
    return there == size || stop(InflateEnd::kCutOff);
  }

  bool declared_codes() {
    constexpr std::array<std::uint8_t, 19> kOrder = {16, 17, 18, 0, 8,  7, 9,  6, 10, 5,
                                                     11, 4,  12, 3, 13, 2, 14, 1, 15};
    const unsigned literals = take(5) + 257, distances = take(5) + 1, codes = take(4) + 4;
    std::array<std::uint8_t, 19> small{};
    for (unsigned i = 0; i < codes; ++i) small[kOrder[i]] = static_cast<std::uint8_t>(take(3));
    if (end_ != InflateEnd::kComplete) return false;
    if (literals > 286 || !literal_.set(small)) return stop(InflateEnd::kDamaged);
    std::array<std::uint8_t, 286 + 32> lengths{};
    for (std::size_t n = 0; n < literals + distances;) {
      unsigned length = 0;
      if (!symbol(literal_, length)) return false;
      unsigned repeat = 1, value = length;
      if (length == 16) {
        if (n == 0) return stop(InflateEnd::kDamaged);
        repeat = 3 + take(2);
        value = lengths[n - 1];
      } else if (length > 16) {
        repeat = length == 17 ? 3 + take(3) : 11 + take(7);
        value = 0;
      }
      if (end_ != InflateEnd::kComplete) return false;
      if (n + repeat > literals + distances) return stop(InflateEnd::kDamaged);
      std::fill_n(lengths.begin() + static_cast<std::ptrdiff_t>(n), repeat,
                  static_cast<std::uint8_t>(value));
      n += repeat;
    }
    const std::span all(lengths);
    return (literal_.set(all.first(literals)) && distance_.set(all.subspan(literals, distances))) ||
           stop(InflateEnd::kDamaged);
  }

  bool compressed() {
    for (unsigned value = 0; symbol(literal_, value);) {
      if (value == 256) return true;
      if (value < 256) {
        if (written_ == output_.size()) return stop(InflateEnd::kTooLarge);
        output_[written_++] = static_cast<std::uint8_t>(value);
      } else if (!copy(value - 257)) {
        return false;
      }
    }
    return false;
  }

  // RFC 1951, 3.2.5: lengths and distances in groups, each with some bits of its own.
  bool copy(unsigned code) {
    if (code > 28) return stop(InflateEnd::kDamaged);
    const unsigned extra = code < 8 || code == 28 ? 0 : code / 4 - 1;
    const unsigned base = code < 8 ? 3 + code : code == 28 ? 258 : 3 + ((4 + code % 4) << extra);
    std::size_t length = base + take(extra);
    unsigned group = 0;
    if (!symbol(distance_, group)) return false;
    if (group > 29) return stop(InflateEnd::kDamaged);
    const unsigned far_extra = group < 4 ? 0 : group / 2 - 1;
    const unsigned far_base = group < 4 ? 1 + group : 1 + ((2 + group % 2) << far_extra);
    const std::size_t distance = far_base + take(far_extra);
    if (end_ != InflateEnd::kComplete) return false;
    if (distance > written_) return stop(InflateEnd::kDamaged);
    const std::size_t room = output_.size() - written_;
    const bool fits = length <= room;
    std::uint8_t* to = output_.data() + written_;
    written_ += length = std::min(length, room);
    for (const std::uint8_t* from = to - distance; length > 0; --length) *to++ = *from++;
    return fits || stop(InflateEnd::kTooLarge);
  }

  std::span<const std::byte> input_;
  std::span<std::uint8_t> output_;
  std::size_t at_ = 0, written_ = 0;
  std::uint64_t buffer_ = 0;
  unsigned bits_ = 0;
  InflateEnd end_ = InflateEnd::kComplete;
  Code literal_, distance_;
};

}  // namespace

Inflated inflate(std::span<const std::byte> zlib, std::span<std::uint8_t> output) {
  return Inflater(zlib, output).run();
}

}  // namespace twinage
