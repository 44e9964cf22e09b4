#include "train/faces/pictures/exif.h"

#include <string>

#include <doctest/doctest.h>

#include "core/files.h"
#include "core/random.h"
#include "tests/support/temporary_folder.h"
#include "tests/train/faces/pictures/pictures.h"

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

constexpr unsigned kByte = 1, kShort = 3, kLong = 4, kRational = 5;

// A directory of two entries: the width of the picture, and the orientation.
std::string tiff(unsigned orientation, bool big_endian, unsigned type = kShort) {
  const auto n = [&](unsigned value, int size) { return number(value, size, big_endian); };
  const int size = type == kByte ? 1 : type == kShort ? 2 : 4;
  const std::string value = type == kRational ? n(38, 4) : n(orientation, size) + n(0, 4 - size);
  return std::string(big_endian ? "MM" : "II") + n(42, 2) + n(8, 4) + n(2, 2) + n(0x0100, 2) +
         n(4, 2) + n(1, 4) + n(640, 4) +  // LONG
         n(0x0112, 2) + n(type, 2) + n(1, 4) + value + n(0, 4) +
         (type == kRational ? n(orientation, 4) + n(1, 4) : "");
}
std::string exif(unsigned orientation, bool big_endian, unsigned type = kShort) {
  return std::string("Exif\0\0", 6) + tiff(orientation, big_endian, type);
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

TEST_CASE("the orientation may be of any whole type, and stand behind other segments") {
  const std::vector<std::byte> jpeg = wide_jpeg();
  for (const unsigned type : {kByte, kShort, kLong, kRational})
    for (const bool big_endian : {false, true}) {
      CAPTURE(type);
      auto bytes = with_application_data(jpeg, exif(6, big_endian, type));
      CHECK(exif_orientation(bytes) == 6);
      bytes = with_application_data(bytes, "Exif");  // no Exif in fact
      CHECK(exif_orientation(with_application_data(bytes, "junk")) == 6);
      CHECK(decode_image(bytes, "test").height == 16);
    }
  constexpr unsigned kAscii = 2;
  CHECK(exif_orientation(with_application_data(jpeg, exif(6, true, kAscii))) == 1);
}

TEST_CASE("a PNG's orientation is found before its data and behind, and in older text chunks") {
  const std::string header = test::png_header(2, 1, 8, 0);
  const std::string data = test::png_chunk("IDAT", test::stored({"\0\1\2", 3}));
  const auto orientation = [&](const std::string& before, const std::string& behind = {}) {
    return exif_orientation(
        test::bytes_of(header + before + data + behind + test::png_chunk("IEND", "")));
  };
  const std::string chunk = test::png_chunk("eXIf", tiff(6, true, kLong));
  CHECK(orientation("") == 1);
  CHECK(orientation(chunk) == 6);
  CHECK(orientation("", chunk) == 6);
  CHECK(decode_image(test::bytes_of(header + chunk + data), "test").height == 2);
  std::string hexadecimal;
  for (char c : exif(8, false)) {
    const auto byte = static_cast<unsigned char>(c);
    hexadecimal += {"0123456789abcdef"[byte / 16], "0123456789abcdef"[byte % 16]};
  }
  const std::string profile = "\nexif\n      44\n" + hexadecimal + "\n";
  const std::string keyword("Raw profile type exif\0", 22);
  CHECK(orientation(test::png_chunk("tEXt", keyword + profile)) == 8);
  CHECK(orientation(test::png_chunk("zTXt", keyword + '\0' + test::stored(profile))) == 8);
}

TEST_CASE("where there is no Exif, XMP's orientation counts") {
  const std::string xmp("http://ns.adobe.com/xap/1.0/\0<x tiff:Orientation=\"6\"/>", 55);
  const auto with = with_application_data(wide_jpeg(), xmp);
  CHECK(exif_orientation(with) == 6);
  CHECK(exif_orientation(with_application_data(with, exif(3, true))) == 3);
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
