// Exif: the input is the content of a segment behind "Exif\0\0", inside an otherwise empty JPEG;
// and a whole JPEG. Must hold: an orientation of 1 to 8, no error; turning a picture only moves its
// pixels.
#include "train/faces/pictures/exif.h"

#include <algorithm>

#include "tests/fuzz/target.h"

using namespace twinage;
using namespace twinage::fuzz;

TWINAGE_FUZZ_TARGET(exif, input) {
  constexpr std::string_view kName("Exif\0\0", 6);
  const std::size_t length = std::min<std::size_t>(2 + kName.size() + input.size(), 0xFFFF);
  std::string jpeg = "\xFF\xD8\xFF\xE1";
  jpeg += static_cast<char>(length >> 8);
  jpeg += static_cast<char>(length & 0xFF);
  jpeg += kName;
  jpeg += text_of(input);
  const int wrapped = exif_orientation(std::as_bytes(std::span(jpeg)));
  const int whole = exif_orientation(input);
  must(wrapped >= 1 && wrapped <= 8 && whole >= 1 && whole <= 8, "an orientation is 1 to 8");

  Image image{3, 2, std::vector<std::uint8_t>(18)};
  for (std::size_t i = 0; i < image.rgb.size(); ++i) image.rgb[i] = static_cast<std::uint8_t>(i);
  Image upright = turned_upright(image, wrapped);
  must(upright.width * upright.height == 6 && upright.width == (wrapped >= 5 ? 2 : 3),
       "turning keeps or exchanges width and height");
  std::ranges::sort(upright.rgb);
  std::ranges::sort(image.rgb);
  must(upright.rgb == image.rgb, "turning moves pixels and changes none");
}
