#include "train/exif.h"

#include <string>

#include <doctest/doctest.h>

#include "core/files.h"
#include "core/random.h"
#include "tests/support/temporary_folder.h"

using namespace twinage;

namespace {

// Letters in lines, as pixels whose red is the letter.
Image picture(const std::vector<std::string>& lines) {
  Image image{static_cast<Index>(lines[0].size()), static_cast<Index>(lines.size()), {}};
  for (const std::string& line : lines)
    for (char letter : line)
      image.rgb.insert(image.rgb.end(), {static_cast<std::uint8_t>(letter), 1, 2});
  return image;
}

std::vector<std::string> letters(const Image& image) {
  std::vector<std::string> lines(static_cast<std::size_t>(image.height));
  for (Index y = 0; y < image.height; ++y)
    for (Index x = 0; x < image.width; ++x)
      lines[static_cast<std::size_t>(y)] += static_cast<char>(image.pixel(y, x)[0]);
  return lines;
}

std::string number(unsigned value, int size, bool big_endian) {
  std::string text;
  for (int i = 0; i < size; ++i)
    text += static_cast<char>(value >> 8 * (big_endian ? size - 1 - i : i) & 0xFF);
  return text;
}

// A directory of two entries: the width of the picture, and the orientation.
std::string exif(unsigned orientation, bool big_endian) {
  const auto n = [&](unsigned value, int size) { return number(value, size, big_endian); };
  return std::string("Exif\0\0", 6) + (big_endian ? "MM" : "II") + n(42, 2) + n(8, 4) + n(2, 2) +
         n(0x0100, 2) + n(4, 2) + n(1, 4) + n(640, 4) +                    // LONG
         n(0x0112, 2) + n(3, 2) + n(1, 4) + n(orientation, 2) + n(0, 2) +  // SHORT
         n(0, 4);
}

// The JPEG with this segment behind its first marker.
std::vector<std::byte> with_application_data(const std::vector<std::byte>& jpeg,
                                             const std::string& content) {
  const std::string segment =
      "\xFF\xE1" + number(static_cast<unsigned>(content.size()) + 2, 2, true) + content;
  std::vector<std::byte> bytes(jpeg.begin(), jpeg.begin() + 2);
  for (char c : segment) bytes.push_back(static_cast<std::byte>(c));
  bytes.insert(bytes.end(), jpeg.begin() + 2, jpeg.end());
  return bytes;
}

std::vector<std::byte> wide_jpeg() {
  const test::TemporaryFolder folder;
  write_jpeg(folder / "a.jpg", picture({"aaaaaaaaaaaaaaaa", "aaaaaaaaaaaaaaaa"}), 90);
  return read_binary_file(folder / "a.jpg", kMaxImageBytes);
}

}  // namespace

TEST_CASE("a picture is turned as Exif says") {
  const std::vector<std::string> seen[] = {
      {"abc", "def"},     {"cba", "fed"},     {"fed", "cba"},     {"def", "abc"},
      {"ad", "be", "cf"}, {"da", "eb", "fc"}, {"fc", "eb", "da"}, {"cf", "be", "ad"}};
  for (int orientation = 1; orientation <= 8; ++orientation) {
    CAPTURE(orientation);
    CHECK(letters(turned_upright(picture({"abc", "def"}), orientation)) == seen[orientation - 1]);
  }
}

TEST_CASE("Exif's orientation is found in both orders of bytes, and decoding obeys it") {
  const std::vector<std::byte> jpeg = wide_jpeg();
  CHECK(exif_orientation(jpeg) == 1);
  for (const bool big_endian : {false, true})
    for (unsigned orientation = 0; orientation <= 9; ++orientation) {
      const auto bytes = with_application_data(jpeg, exif(orientation, big_endian));
      const bool sensible = orientation >= 1 && orientation <= 8;
      REQUIRE(exif_orientation(bytes) == (sensible ? static_cast<int>(orientation) : 1));
      const Image image = decode_image(bytes, "test");
      CHECK(image.width == (sensible && orientation >= 5 ? 2 : 16));
      CHECK(image.height == (sensible && orientation >= 5 ? 16 : 2));
    }
  // Application data of another kind are passed over.
  const auto both = with_application_data(with_application_data(jpeg, exif(6, true)), "http://ns.");
  CHECK(exif_orientation(both) == 6);
}

TEST_CASE("Exif that is cut off or damaged means nothing, and never leads outside") {
  const std::vector<std::byte> jpeg = wide_jpeg();
  const std::string whole = exif(6, false);
  // Behind the two entries stand 4 bytes, and 2 behind the value.
  for (std::size_t size = 0; size < whole.size() - 6; ++size)
    CHECK(exif_orientation(with_application_data(jpeg, whole.substr(0, size))) == 1);
  Random random(3);
  for (int trial = 0; trial < 500; ++trial) {
    std::string damaged = whole;
    for (int i = 0; i < 3; ++i)
      damaged[6 + random.below(damaged.size() - 6)] = static_cast<char>(random.bits() & 0xFF);
    const int orientation = exif_orientation(with_application_data(jpeg, damaged));
    CHECK(orientation >= 1);
    CHECK(orientation <= 8);
  }
}
