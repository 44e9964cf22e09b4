#include "tests/fuzz/picture.h"

#include <optional>

#include "core/content_hash.h"
#include "tests/fuzz/fresh_memory.h"

namespace twinage::fuzz {
namespace {

struct Outcome {
  std::optional<Image> image;
  std::string reason;
  std::size_t peak = 0;
};

Outcome decode(Input input, std::uint8_t fill) {
  Outcome outcome;
  const FreshMemory memory(fill);
  try {
    outcome.image = decode_image(input, "input");
  } catch (const ImageError& error) {
    outcome.reason = error.reason;
  }
  outcome.peak = memory.peak();
  return outcome;
}

}  // namespace

void check_picture(Input input, Index width, Index height) {
  constexpr Index kSmall = 128 * 128, kLarge = 1 << 20;
  const Index pixels = width * height;
  if (pixels > kSmall && (pixels > kLarge || content_hash(input) % 256 != 0)) return;
  const Outcome first = decode(input, 0x00);
  const Outcome second = decode(input, 0xA5);
  const auto allowed =
      kBytesBesides + kBytesAPixel * static_cast<std::size_t>((width + 63) * (height + 63));
  must(first.peak <= allowed, fmt::format("at most {} bytes for {} x {} pixels, not {}", allowed,
                                          width, height, first.peak));
  must(first.reason == second.reason,
       "the reason depends on the file alone: " + first.reason + "; " + second.reason);
  if (!first.image) {
    must(!first.reason.empty() && !second.image, "a picture that is refused, with a reason");
    return;
  }
  const Image& image = *first.image;
  must(image.width >= 1 && image.height >= 1 &&
           static_cast<Index>(image.rgb.size()) == image.width * image.height * 3,
       "a picture has pixels, three bytes each");
  must(second.image && second.image->width == image.width && second.image->rgb == image.rgb,
       "the pixels depend on the file alone");
}

Index number_at(Input input, std::size_t at, std::size_t size, bool big_endian) {
  if (at + size > input.size()) return 0;
  Index value = 0;
  for (std::size_t i = 0; i < size; ++i)
    value = value << 8 | std::to_integer<Index>(input[big_endian ? at + i : at + size - 1 - i]);
  return value;
}

}  // namespace twinage::fuzz
