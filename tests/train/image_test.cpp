#include "train/image.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <string>

#include <doctest/doctest.h>

#include "core/files.h"
#include "core/random.h"
#include "tests/support/temporary_folder.h"

using namespace twinage;
using test::TemporaryFolder;
namespace fs = std::filesystem;

namespace {

// Smooth, so that JPEG keeps it closely.
Image gradient(Index width, Index height) {
  Image image{width, height,
              std::vector<std::uint8_t>(static_cast<std::size_t>(width * height * 3))};
  for (Index y = 0; y < height; ++y)
    for (Index x = 0; x < width; ++x) {
      image.pixel(y, x)[0] = static_cast<std::uint8_t>(x * 255 / width);
      image.pixel(y, x)[1] = static_cast<std::uint8_t>(y * 255 / height);
      image.pixel(y, x)[2] = 100;
    }
  return image;
}

int largest_difference(const Image& a, const Image& b) {
  REQUIRE(a.width == b.width);
  REQUIRE(a.height == b.height);
  int largest = 0;
  for (std::size_t i = 0; i < a.rgb.size(); ++i)
    largest = std::max(largest, std::abs(int{a.rgb[i]} - int{b.rgb[i]}));
  return largest;
}

std::vector<std::byte> bytes_of(std::string_view text) {
  const auto* first = reinterpret_cast<const std::byte*>(text.data());
  return {first, first + text.size()};
}

std::string reason_of(std::span<const std::byte> bytes) {
  try {
    decode_image(bytes, "test");
  } catch (const ImageError& error) {
    CHECK(std::string(error.what()) == "[image] test: " + error.reason);
    return error.reason;
  }
  return "(decoded)";
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

void put_big_endian(std::string& text, std::uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) text += static_cast<char>(value >> shift & 0xFF);
}

// The signature and the header of a PNG.
std::string png_header(std::uint32_t width, std::uint32_t height, int depth = 8, int kind = 2) {
  std::string text = "\x89PNG\r\n\x1A\n";
  put_big_endian(text, 13);
  text += "IHDR";
  put_big_endian(text, width);
  put_big_endian(text, height);
  text += static_cast<char>(depth);
  text += static_cast<char>(kind);  // 0 grey, 2 RGB, 4 grey and alpha, 6 RGBA
  text += std::string(3, '\0');
  put_big_endian(text, 0);  // a CRC; they are not looked at
  return text;
}

// A PNG of one pixel, whose row stands in an uncompressed block.
std::string png_pixel(int depth, int kind, std::vector<std::uint8_t> pixel) {
  pixel.insert(pixel.begin(), 0);  // the row's filter: none
  std::uint32_t a = 1, b = 0;      // Adler-32
  for (std::uint8_t v : pixel) b += a += v;
  const auto size = static_cast<char>(pixel.size());
  std::string data =
      std::string("\x78\x01\x01", 3) + size + '\0' + static_cast<char>(~size) + '\xFF';
  data.append(pixel.begin(), pixel.end());
  put_big_endian(data, b << 16 | a);
  std::string text = png_header(1, 1, depth, kind);
  put_big_endian(text, static_cast<std::uint32_t>(data.size()));
  text += "IDAT" + data;
  put_big_endian(text, 0);
  put_big_endian(text, 0);
  text += "IEND";
  put_big_endian(text, 0);
  return text;
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
  CHECK(decode_image(bytes_of(png_pixel(8, 0, {77})), "grey").rgb ==
        std::vector<std::uint8_t>{77, 77, 77});
  CHECK(decode_image(bytes_of(png_pixel(8, 4, {77, 128})), "grey with alpha").rgb ==
        std::vector<std::uint8_t>{77, 77, 77});
  CHECK(decode_image(bytes_of(png_pixel(8, 6, {200, 100, 50, 128})), "RGBA").rgb ==
        std::vector<std::uint8_t>{200, 100, 50});
  CHECK(decode_image(bytes_of(png_pixel(16, 2, {200, 1, 100, 2, 50, 3})), "RGB 16").rgb ==
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
  CHECK(contains(reason_of({}), "empty"));
  CHECK(contains(reason_of(bytes_of("hello")), "not a picture"));
  CHECK(contains(reason_of(bytes_of("<!DOCTYPE html><html>404</html>")), "not a picture"));
  CHECK(contains(reason_of(bytes_of("RIFF1234WEBPVP8 ")),
                 "WebP is not supported: convert it to JPEG or PNG"));
  CHECK(contains(reason_of(bytes_of("GIF89a..........")),
                 "GIF is not supported: convert it to JPEG or PNG"));
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
