// zlib streams (RFC 1950, RFC 1951) into memory of a given size, by zlib.
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

// The stream lies in `parts`, one after the other. Allocates 40 KB, whatever the stream says;
// throws std::bad_alloc. A part or an output of 4 GB or more is refused.
Inflated inflate(std::span<const std::span<const std::byte>> parts, std::span<std::uint8_t> output);

}  // namespace twinage
