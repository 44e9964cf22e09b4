#include "train/faces/pictures/picture_size.h"

#include <doctest/doctest.h>

#include "core/files.h"
#include "tests/support/temporary_folder.h"
#include "tests/train/faces/pictures/pictures.h"

using namespace twinage;
using test::bytes_of;
using test::gradient;

namespace {

std::string number(unsigned value, int size) {
  std::string text;
  for (int i = 0; i < size; ++i) text += static_cast<char>(i < 4 ? value >> 8 * i & 0xFF : 0);
  return text;
}

std::optional<PictureSize> size_of(const std::string& text) {
  return picture_size(bytes_of(text));
}

}  // namespace

TEST_CASE("the size of a picture stands in its header") {
  const test::TemporaryFolder folder;
  write_png(folder.path() / "a", gradient(31, 17));
  CHECK(picture_size(read_binary_file(folder.path() / "a", 1 << 20)) == PictureSize{31, 17});
  const std::vector<std::byte> jpeg = encode_jpeg(gradient(40, 1), 90);
  CHECK(picture_size(jpeg) == PictureSize{40, 1});
  const std::string file_header = "BM" + number(0, 12);
  CHECK(size_of(file_header + number(40, 4) + number(5, 4) + number(9, 4)) == PictureSize{5, 9});
  CHECK(size_of(file_header + number(40, 4) + number(5, 4) + number(0U - 9, 4)) ==
        PictureSize{5, 9});  // its uppermost row first
  CHECK(size_of(file_header + number(12, 4) + number(700, 2) + number(3, 2)) ==
        PictureSize{700, 3});
}

TEST_CASE("a picture that was taken with the camera on its side has the size it is looked at in") {
  const std::vector<std::byte> jpeg = encode_jpeg(gradient(40, 20), 90);
  const std::string tiff = "II" + number(42, 2) + number(8, 4) + number(1, 2) + number(0x0112, 2) +
                           number(3, 2) + number(1, 4) + number(6, 4) + number(0, 4);
  const std::string exif = std::string("Exif") + number(0, 2) + tiff;
  const std::string segment =
      "\xFF\xE1" + std::string(1, 0) + static_cast<char>(exif.size() + 2) + exif;
  std::vector<std::byte> turned(jpeg.begin(), jpeg.begin() + 2);
  for (const std::byte b : bytes_of(segment)) turned.push_back(b);
  turned.insert(turned.end(), jpeg.begin() + 2, jpeg.end());
  CHECK(picture_size(turned) == PictureSize{20, 40});
  const Image image = decode_image(turned, "turned");
  CHECK(image.width == 20);
  CHECK(image.height == 40);
}

TEST_CASE("a file that says no size, or one that nobody would decode, has none") {
  const std::vector<std::byte> jpeg = encode_jpeg(gradient(8, 8), 90);
  CHECK_FALSE(picture_size({}).has_value());
  CHECK_FALSE(size_of("no picture").has_value());
  CHECK_FALSE(picture_size(std::span(jpeg).first(20)).has_value());
  CHECK_FALSE(size_of("BM" + number(0, 12) + number(40, 4) + number(5, 4)).has_value());
  CHECK_FALSE(size_of("BM" + number(0, 12) + number(40, 4) + number(60000, 4) + number(60000, 4))
                  .has_value());
  CHECK_FALSE(
      size_of("BM" + number(0, 12) + number(40, 4) + number(0U - 5, 4) + number(5, 4)).has_value());
  const std::string signature = "\x89PNG\r\n\x1a\n";
  CHECK_FALSE(size_of(signature).has_value());
  CHECK_FALSE(size_of(signature + std::string("\0\0\0\x08tEXt", 8) + "aaaabbbbcccc").has_value());
}
