#include "train/faces/pictures/image.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <string>

#include <doctest/doctest.h>

#include "core/files.h"
#include "core/random.h"
#include "tests/support/temporary_folder.h"
#include "tests/train/faces/pictures/pictures.h"

using namespace twinage;
using namespace twinage::test;
namespace fs = std::filesystem;

namespace {

// A PNG of one pixel.
std::string png_pixel(int depth, int kind, const std::string& pixel) {
  return png_header(1, 1, depth, kind) + png_chunk("IDAT", stored('\0' + pixel)) +
         png_chunk("IEND", "");
}

}  // namespace

TEST_CASE("PNG keeps every byte, JPEG nearly") {
  TemporaryFolder folder;
  const Image image = gradient(37, 23);
  write_png(folder / "a.png", image);
  CHECK(largest_difference(read_image(folder / "a.png"), image) == 0);
  write_jpeg(folder / "a.jpg", image, 95);
  CHECK(largest_difference(read_image(folder / "a.jpg"), image) <= 12);
  write_png(folder / "a.png", gradient(1, 1));  // over the old one
  CHECK(read_image(folder / "a.png").width == 1);
  CHECK_THROWS_AS(write_png(folder / "no/such/folder.png", image), Error);
  CHECK_THROWS_AS(write_png(folder / "b.png", Image{}), Error);
  CHECK_THROWS_AS(write_jpeg(folder / "b.jpg", image, 0), Error);
}

TEST_CASE("grey pictures become RGB, an alpha channel is dropped, 16 bits become 8") {
  CHECK(decode_image(bytes_of(png_pixel(8, 0, "\x4D")), "grey").rgb ==
        std::vector<std::uint8_t>{77, 77, 77});
  CHECK(decode_image(bytes_of(png_pixel(8, 4, "\x4D\x80")), "grey with alpha").rgb ==
        std::vector<std::uint8_t>{77, 77, 77});
  CHECK(decode_image(bytes_of(png_pixel(8, 6, "\xC8\x64\x32\x80")), "RGBA").rgb ==
        std::vector<std::uint8_t>{200, 100, 50});
  CHECK(decode_image(bytes_of(png_pixel(16, 2, "\xC8\x01\x64\x02\x32\x03")), "RGB 16").rgb ==
        std::vector<std::uint8_t>{200, 100, 50});
}

TEST_CASE(
    "a picture cut off anywhere is refused, unless all its rows are there: then it is whole") {
  TemporaryFolder folder;
  write_jpeg(folder / "a.jpg", gradient(64, 48), 90);
  write_png(folder / "a.png", gradient(64, 48));
  for (const char* name : {"a.jpg", "a.png"}) {
    const std::vector<std::byte> whole = read_binary_file(folder / name, kMaxImageBytes);
    const Image image = decode_image(whole, "whole");
    std::size_t refused = 0;
    for (std::size_t size = 8; size < whole.size(); ++size) {
      CAPTURE(size);
      const auto part = std::span(whole).first(size);
      const std::string reason = reason_of(part);
      if (reason == "(decoded)") {
        CHECK(decode_image(part, "part").rgb == image.rgb);
        // Two bytes of a marker; a block's end, a checksum, a checksum and an empty chunk.
        CHECK(whole.size() - size <= (std::strcmp(name, "a.jpg") == 0 ? 2 : 22));
      } else {
        CHECK(contains(reason, "cut off"));
        ++refused;
      }
    }
    CHECK(refused > 0);
    CHECK(refused < whole.size() - 8);  // without its very end it is good
  }
  CHECK(contains(reason_of(bytes_of("BM\x46")), "cut off"));
}

TEST_CASE("what is no picture says so, with the format it really has") {
  CHECK(contains(reason_of(std::string_view()), "empty"));
  CHECK(contains(reason_of(bytes_of("hello")), "not a picture"));
  CHECK(contains(reason_of(bytes_of("<!DOCTYPE html><html>404</html>")), "not a picture"));
  CHECK(contains(reason_of(bytes_of("RIFF1234WEBPVP8 ")),
                 "WebP is not supported: convert it to JPEG or PNG"));
  CHECK(contains(reason_of(bytes_of("GIF89a..........")),
                 "GIF is not supported: convert it to JPEG or PNG"));
  const auto brands = [](std::string_view brand, std::string_view others) {
    return reason_of(big_endian(static_cast<std::uint32_t>(16 + others.size()), 4) + "ftyp" +
                     std::string(brand) + big_endian(0, 4) + std::string(others));
  };
  for (const char* brand : {"mif1", "msf1", "heic", "heix", "heim", "hevc", "hevx"})
    CHECK(brands(brand, "mif1heic") == "HEIF (HEIC) is not supported: convert it to JPEG or PNG");
  for (const char* brand : {"avif", "avis", "mif1"})
    CHECK(brands(brand, "miafavif") == "AVIF is not supported: convert it to JPEG or PNG");
  CHECK(contains(brands("isom", "mp42"), "(a video?) is not supported"));
  CHECK(contains(reason_of(std::string_view("II*\0....", 8)), "TIFF is not supported"));
  CHECK(contains(reason_of("8BPS"), "PSD is not supported"));
  CHECK(contains(reason_of(std::string_view("\0\0\1\0\1\0", 6)), "ICO is not supported"));
  CHECK(contains(reason_of(std::string_view("\0\0\0\x0CJXL \r\n\x87\n", 12)), "JPEG XL is not"));
  CHECK(contains(reason_of(std::string_view("\0\0\0\x0CjP  \r\n\x87\n", 12)), "JPEG 2000 is"));
  TemporaryFolder folder;
  CHECK_THROWS_AS(read_image(folder / "none.jpg"), Error);
  CHECK_THROWS_AS(read_image(folder.path()), Error);
}

TEST_CASE("a header that promises too many pixels is refused before anything is allocated") {
  for (std::uint32_t side : {10000U, 60000U, 0x7FFFFFFFU})
    CHECK(reason_of(bytes_of(png_header(side, side))) == "it has more than 67108864 pixels");
  CHECK(reason_of(bytes_of(png_header(0, 5))) != "(decoded)");
}

TEST_CASE("JPEG tables that would lead the decoder astray are refused") {
  TemporaryFolder folder;
  write_jpeg(folder / "a.jpg", gradient(16, 16), 90);
  std::vector<std::byte> bytes = read_binary_file(folder / "a.jpg", kMaxImageBytes);
  const auto mark = [&](int marker) {
    const std::byte pattern[] = {std::byte{0xFF}, static_cast<std::byte>(marker)};
    const auto found = std::search(bytes.begin(), bytes.end(), pattern, pattern + 2);
    REQUIRE(found != bytes.end());
    return static_cast<std::size_t>(found - bytes.begin());
  };
  const std::size_t tables = mark(0xC4), scan = mark(0xDA);
  SUBCASE("too many codes") {
    bytes[tables + 5] = bytes[tables + 6] = std::byte{200};
    CHECK(contains(reason_of(bytes), "more than 256 codes"));
    // The same where the file ends within the segment: nothing of it is looked at.
    CHECK(contains(reason_of(std::span(bytes).first(tables + 40)), "cut off: 0 %"));
  }
  SUBCASE("longer than its segment") {
    bytes[tables + 5] = std::byte{250};
    CHECK(reason_of(bytes) != "(decoded)");
  }
  SUBCASE("a table that was never declared") {
    bytes[scan + 6] = std::byte{0x33};
    CHECK(contains(reason_of(bytes), "table is missing"));
  }
  SUBCASE("a table that does not exist") {
    bytes[scan + 6] = std::byte{0x44};
    CHECK(contains(reason_of(bytes), "table is missing"));
  }
}

TEST_CASE("damaged bytes are an error or a picture, never a crash") {
  TemporaryFolder folder;
  write_jpeg(folder / "a.jpg", gradient(40, 40), 90);
  write_png(folder / "a.png", gradient(40, 40));
  Random random(5);
  for (const char* name : {"a.jpg", "a.png"}) {
    const std::vector<std::byte> whole = read_binary_file(folder / name, kMaxImageBytes);
    for (int trial = 0; trial < 300; ++trial) {
      std::vector<std::byte> bytes = whole;
      for (int i = 0; i < 1 + trial % 5; ++i)
        bytes[random.below(bytes.size())] = static_cast<std::byte>(random.bits() & 0xFF);
      try {
        const Image image = decode_image(bytes, "damaged");
        CHECK(static_cast<Index>(image.rgb.size()) == image.width * image.height * 3);
      } catch (const ImageError&) {
      }
    }
  }
}

TEST_CASE("resize_square crops the centre and keeps the mean") {
  CHECK(largest_difference(resize_square(gradient(9, 9), 9), gradient(9, 9)) == 0);
  const Image wide = gradient(30, 10);
  const Image centre = resize_square(wide, 10);
  for (Index y = 0; y < 10; ++y)
    for (Index x = 0; x < 10; ++x)
      REQUIRE(std::equal(centre.pixel(y, x), centre.pixel(y, x) + 3, wide.pixel(y, x + 10)));
  const Image tall = resize_square(gradient(10, 30), 10);
  CHECK(tall.pixel(0, 0)[1] == gradient(10, 30).pixel(10, 0)[1]);
  CHECK_THROWS_AS(resize_square(wide, 0), Error);
  CHECK_THROWS_AS(resize_square(Image{}, 4), Error);
}

TEST_CASE("resize_square is anti-aliased: a fine pattern becomes even grey") {
  Image stripes = gradient(200, 200);
  for (Index y = 0; y < 200; ++y)
    for (Index x = 0; x < 200; ++x)
      std::fill_n(stripes.pixel(y, x), 3, static_cast<std::uint8_t>(x % 2 == 0 ? 0 : 255));
  const Image small = resize_square(stripes, 40);
  for (Index x = 2; x < 38; ++x)  // at the edge the last stripe is continued outwards
    REQUIRE(std::abs(int{small.pixel(20, x)[0]} - 127) <= 6);
  const Image large = resize_square(gradient(20, 20), 50);
  CHECK(large.width == 50);
  CHECK(std::abs(int{large.pixel(25, 25)[0]} - 127) <= 8);
}

TEST_CASE("extensions") {
  for (const char* name : {"a.jpg", "a.JPG", "a.chip.jpeg", "a.Png", "a.bmp"})
    CHECK(has_picture_extension(name));
  for (const char* name : {"a", "jpg", "a.", "a.jp", "a.gif", "a.txt", ".jpg"})
    CHECK_FALSE(has_picture_extension(name));
}
