#include "train/faces/pictures/bmp_reader.h"

#include "tests/train/faces/pictures/pictures.h"

using namespace twinage;
using namespace twinage::test;

namespace {

using Rgb = std::vector<std::uint8_t>;

// Width 2, height as given, and what a BITMAPINFOHEADER and those that follow it have in common.
std::string header(int size, int height, int bits, int compression = 0, int colours = 0) {
  const auto n = [](int value, int bytes) {
    return little_endian(static_cast<std::uint32_t>(value), bytes);
  };
  return n(size, 4) + n(2, 4) + n(height, 4) + n(1, 2) + n(bits, 2) + n(compression, 4) + n(0, 4) +
         n(0, 8) + n(colours, 4) + n(0, 4);
}
// `tables`: all between the header and the pixels.
std::string bmp(const std::string& head, const std::string& tables, const std::string& rows) {
  const auto offset = static_cast<std::uint32_t>(14 + head.size() + tables.size());
  return "BM" + little_endian(0, 8) + little_endian(offset, 4) + head + tables + rows;
}
Rgb pixels(const std::string& text) {
  return decode_image(bytes_of(text), "test").rgb;
}

// Two rows of two pixels B G R, each filled up to 8 bytes; the lower row first.
const std::string kRows("\7\x08\x09\x0A\x0B\x0C\0\0\1\2\3\4\5\6\0\0", 16);
const Rgb kBottomUp = {3, 2, 1, 6, 5, 4, 9, 8, 7, 12, 11, 10};
const Rgb kTopDown = {9, 8, 7, 12, 11, 10, 3, 2, 1, 6, 5, 4};

}  // namespace

TEST_CASE("a BMP is read bottom-up and top-down, with a gap before its pixels and any header") {
  CHECK(pixels(bmp(header(40, 2, 24), "", kRows)) == kBottomUp);
  CHECK(pixels(bmp(header(40, -2, 24), "", kRows)) == kTopDown);
  CHECK(pixels(bmp(header(40, 2, 24), "a gap", kRows)) == kBottomUp);
  CHECK(pixels(bmp(header(40, 2, 24), "", kRows + "more")) == kBottomUp);
  CHECK(pixels(bmp(header(40, 2, 24), "", kRows.substr(0, 14))) == kBottomUp);
  for (int size : {52, 56, 64, 108, 124}) {
    const std::string rest(static_cast<std::size_t>(size - 40), '\0');
    CHECK(pixels(bmp(header(size, 2, 24) + rest, "", kRows)) == kBottomUp);
  }
  const std::string os2 = little_endian(12, 4) + little_endian(2, 2) + little_endian(2, 2) +
                          little_endian(1, 2) + little_endian(24, 2);
  CHECK(pixels(bmp(os2, "", kRows)) == kBottomUp);
}

TEST_CASE("a BMP's colours may be 16 or 32 bits with masks, or a palette of any size") {
  const std::string two = little_endian(0x7C1F, 2) + little_endian(0x03E0, 2);
  CHECK(pixels(bmp(header(40, 1, 16), "", two)) == Rgb{255, 0, 255, 0, 255, 0});
  const std::string masks =
      little_endian(0xF800, 4) + little_endian(0x07E0, 4) + little_endian(0x001F, 4);
  CHECK(pixels(bmp(header(40, 1, 16, 3), masks,
                   little_endian(0xF81F, 2) + little_endian(0x07E0, 2))) ==
        Rgb{255, 0, 255, 0, 255, 0});
  const std::string wide = "\1\2\3\x7F\4\5\6\x7F";
  CHECK(pixels(bmp(header(40, 1, 32), "", wide)) == Rgb{3, 2, 1, 6, 5, 4});
  const std::string other =
      little_endian(0xFF, 4) + little_endian(0xFF00, 4) + little_endian(0xFF0000, 4);
  CHECK(pixels(bmp(header(40, 1, 32, 3), other, wide)) == Rgb{1, 2, 3, 4, 5, 6});
  CHECK(pixels(bmp(header(56, 1, 32, 3) + other + little_endian(0, 4), "", wide)) ==
        Rgb{1, 2, 3, 4, 5, 6});
  const std::string palette("\1\2\3\0\4\5\6\0", 8);
  CHECK(pixels(bmp(header(40, 1, 1, 0, 2), palette, {"\x40\0\0\0", 4})) == Rgb{3, 2, 1, 6, 5, 4});
  CHECK(pixels(bmp(header(40, 1, 4, 0, 2), palette, {"\x10\0\0\0", 4})) == Rgb{6, 5, 4, 3, 2, 1});
  CHECK(pixels(bmp(header(40, 1, 8, 0, 2), palette, {"\1\0\0\0", 4})) == Rgb{6, 5, 4, 3, 2, 1});
  // The header does not say how many colours there are; the pixels begin behind two.
  CHECK(pixels(bmp(header(40, 1, 8), palette, {"\1\0\0\0", 4})) == Rgb{6, 5, 4, 3, 2, 1});
}

TEST_CASE("a BMP that lacks rows or colours is refused, with what is missing") {
  const std::string palette("\1\2\3\0\4\5\6\0", 8);
  CHECK(reason_of(bmp(header(40, 1, 8, 0, 2), palette, {"\1\2\0\0", 4})) ==
        "the picture is damaged (its palette has 2 colours, a pixel asks for number 3)");
  CHECK(reason_of(bmp(header(40, 2, 24), "", kRows.substr(0, 13))) ==
        "the picture is cut off: 50 % of it is there");
  CHECK(reason_of(bmp(header(40, 2, 24), "", "")) == "the picture is cut off: 0 % of it is there");
  CHECK(contains(reason_of(bmp(header(40, 0, 24), "", "")), "no pixels"));
  const int lowest = static_cast<int>(0x80000000U);
  CHECK(contains(reason_of(bmp(header(40, lowest, 24), "", "")), "more than"));
}

TEST_CASE("compressed BMPs are named") {
  const auto reason = [](int compression, int bits) {
    return reason_of(bmp(header(40, 2, bits, compression), "", kRows));
  };
  CHECK(reason(1, 8) == "an RLE compressed BMP is not supported: convert it to JPEG or PNG");
  CHECK(reason(2, 4) == "an RLE compressed BMP is not supported: convert it to JPEG or PNG");
  CHECK(contains(reason(4, 0), "a BMP that holds a JPEG is not supported"));
  CHECK(contains(reason(5, 0), "a BMP that holds a PNG is not supported"));
}
