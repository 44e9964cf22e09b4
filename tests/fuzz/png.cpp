// PNG pictures: see picture.h for what must hold. Chunks carry checksums, which random changes
// break: the mutator mends them more often than not, so that what lies behind the check is reached.
#include <algorithm>
#include <array>

#include "tests/fuzz/picture.h"

using namespace twinage;
using namespace twinage::fuzz;

TWINAGE_FUZZ_TARGET(png, input) {
  // A second IHDR would promise something else: the largest counts.
  Index width = 0, height = 0;
  const std::string_view text = text_of(input);
  for (std::size_t at = text.find("IHDR"); at != text.npos; at = text.find("IHDR", at + 1)) {
    width = std::max(width, number_at(input, at + 4, 4, true));
    height = std::max(height, number_at(input, at + 8, 4, true));
  }
  if (width > 0x7FFFFFFF || height > 0x7FFFFFFF) return;
  check_picture(input, width, height);
}

#ifdef TWINAGE_LIBFUZZER
namespace {

std::array<std::uint32_t, 256> crc_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t n = 0; n < 256; ++n) {
    table[n] = n;
    for (int bit = 0; bit < 8; ++bit) table[n] = (table[n] & 1 ? 0xEDB88320U : 0U) ^ table[n] >> 1;
  }
  return table;
}

// Chunks: length, type, content, CRC-32 of type and content (PNG, second edition, section 5.3).
void mend_checksums(std::span<std::uint8_t> png) {
  static const std::array<std::uint32_t, 256> table = crc_table();
  for (std::size_t at = 8; at + 12 <= png.size();) {
    const auto length = static_cast<std::size_t>(number_at(std::as_bytes(png), at, 4, true));
    if (length > png.size() - at - 12) return;
    std::uint32_t crc = 0xFFFFFFFF;
    for (const std::uint8_t byte : png.subspan(at + 4, length + 4))
      crc = table[(crc ^ byte) & 0xFF] ^ crc >> 8;
    for (std::size_t i = 0; i < 4; ++i)
      png[at + 8 + length + i] = static_cast<std::uint8_t>(~crc >> (24 - 8 * i));
    at += length + 12;
  }
}

}  // namespace

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t most);
extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t most, unsigned seed) {
  const std::size_t mutated = LLVMFuzzerMutate(data, size, most);
  if (seed % 4 != 0) mend_checksums({data, mutated});
  return mutated;
}
#endif
