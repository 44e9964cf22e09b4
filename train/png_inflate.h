// zlib streams (RFC 1950, RFC 1951) into memory of a given size.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>

namespace twinage {

enum class InflateEnd {
  kComplete,  // the stream's own end was reached
  kCutOff,    // the input ended before
  kDamaged,   // what came next is no zlib stream
  kTooLarge,  // the stream holds more than there is room for
};

struct Inflated {
  std::size_t size;  // so many bytes of the output come from the stream, whatever the end
  InflateEnd end;
};

// Allocates nothing. The checksum at the end is not looked at.
Inflated inflate(std::span<const std::byte> zlib, std::span<std::uint8_t> output);

}  // namespace twinage
