#include "train/faces/pictures/png_reader.h"

#include "tests/train/faces/pictures/pictures.h"
#include "train/faces/pictures/png_inflate.h"

using namespace twinage;
using namespace twinage::test;

namespace {

std::string png(const std::string& header, const std::string& rows,
                const std::string& before = {}) {
  return header + before + png_chunk("IDAT", stored(rows)) + png_chunk("IEND", "");
}
std::vector<std::uint8_t> pixels(const std::string& text) {
  return decode_image(bytes_of(text), "test").rgb;
}
using Rgb = std::vector<std::uint8_t>;

const std::string kChecksumOfAbcd = "\x03\xd8\x01\x8b";  // Adler-32, which stored() leaves out

Inflated inflate_all(const std::string& stream, std::span<std::uint8_t> room) {
  const std::vector<std::byte> bytes = bytes_of(stream);
  return inflate(std::array{std::span(bytes)}, room);
}

}  // namespace

TEST_CASE("a PNG with Huffman codes of its own keeps every byte") {
  CHECK(largest_difference(decode_image(fixture("dynamic.png"), "test"), gradient(60, 44)) == 0);
}

TEST_CASE("a PNG's rows are unfiltered, each by its own filter") {
  // Rows of two grey pixels; none, sub, up, average, Paeth.
  const std::string rows("\0\x10\x20\1\x05\x06\2\x01\x02\3\x04\x05\4\x01\x02", 15);
  const Rgb grey = pixels(png(png_header(2, 5, 8, 0), rows));
  const int expected[] = {16, 32, 5, 11, 6, 13, 7, 15, 8, 17};
  for (std::size_t i = 0; i < 10; ++i) CHECK(int{grey[3 * i]} == expected[i]);
}

TEST_CASE("an interlaced PNG comes out in order") {
  // 3 x 3 pixels: pass 1 has (0, 0), pass 4 (2, 0), pass 5 the same of row 2, pass 6 (1, 0) and
  // (1, 2), pass 7 row 1.
  const std::string rows(
      "\0\1"
      "\0\3"
      "\0\7\x09"
      "\0\2"
      "\0\x08"
      "\0\4\5\6",
      15);
  const Rgb grey = pixels(png(png_header(3, 3, 8, 0, true), rows));
  for (std::size_t i = 0; i < 9; ++i) CHECK(grey[3 * i] == i + 1);
}

TEST_CASE("a palette of 1 to 8 bits is looked up; a colour that it lacks is refused") {
  const std::string palette = png_chunk("PLTE", {"\1\2\3\4\5\6", 6});
  CHECK(pixels(png(png_header(2, 1, 1, 3), {"\0\x40", 2}, palette)) == Rgb{1, 2, 3, 4, 5, 6});
  CHECK(pixels(png(png_header(2, 1, 4, 3), {"\0\x10", 2}, palette)) == Rgb{4, 5, 6, 1, 2, 3});
  CHECK(reason_of(png(png_header(2, 1, 8, 3), {"\0\1\2", 3}, palette)) ==
        "the picture is damaged (its palette has 2 colours, a pixel asks for number 3)");
  CHECK(contains(reason_of(png(png_header(2, 1, 8, 3), {"\0\1\1", 3})), "its palette is missing"));
}

TEST_CASE("a PNG that lacks rows is refused with how much is there; without its tail it is good") {
  std::string rows;
  for (int y = 0; y < 10; ++y) rows += std::string("\0", 1) + std::string(9, static_cast<char>(y));
  const std::string header = png_header(3, 10), whole = png(header, rows);
  CHECK(reason_of(png(header, rows.substr(0, 50))) ==
        "the picture is cut off: 50 % of it is there");
  const std::size_t end_of_rows = header.size() + 8 + 7 + rows.size();
  CHECK(pixels(whole.substr(0, end_of_rows)) == pixels(whole));
  CHECK(reason_of(whole.substr(0, end_of_rows - 1)) ==
        "the picture is cut off: 99 % of it is there");
  // Data in two chunks are one stream.
  const std::string stream = stored(rows);
  CHECK(pixels(header + png_chunk("IDAT", stream.substr(0, 20)) +
               png_chunk("IDAT", stream.substr(20))) == pixels(whole));
}

TEST_CASE("a PNG whose data inflate to more than it holds is refused, without holding them") {
  CHECK(reason_of(png(png_header(1, 1), std::string(5, '\0'))) ==
        "its data inflate to more than the 4 bytes that a picture of 1 x 1 pixels holds");
  CHECK(contains(reason_of(png(png_header(1, 1, 1, 0, true), std::string(9, '\0'))),
                 "more than the 2 bytes"));
}

TEST_CASE("a PNG that promises more than its data can hold gets no memory") {
  CHECK(reason_of(png(png_header(8192, 8192, 16, 6), "\0")) ==
        "the picture is cut off: at most 0 % of it is there");
  // 7 bytes, each of which can become 1032.
  CHECK(reason_of(png(png_header(999, 100, 8, 0), "")) ==
        "the picture is cut off: at most 7 % of it is there");
}

TEST_CASE("inflate stops where its room ends, and says how much it wrote") {
  std::vector<std::uint8_t> room(4);
  const Inflated all = inflate_all(stored("abcd") + kChecksumOfAbcd, room);
  CHECK(all.size == 4);
  CHECK(all.end == InflateEnd::kComplete);
  CHECK(inflate_all(stored("abcde"), room).end == InflateEnd::kTooLarge);
  const std::string stream = stored("abcd");
  const Inflated part = inflate_all(stream.substr(0, stream.size() - 1), room);
  CHECK(part.size == 3);
  CHECK(part.end == InflateEnd::kCutOff);
  CHECK(inflate_all("no zlib", room).end == InflateEnd::kDamaged);
  // A fixed code: the letter a, then 258 bytes from 1 back, for which there is no room.
  const std::string bomb("\x78\x9c\x4b\x1c\x05\x00", 6);
  const Inflated full = inflate_all(bomb, room);
  CHECK(full.end == InflateEnd::kTooLarge);
  CHECK(full.size == 4);
  CHECK(room == std::vector<std::uint8_t>(4, 'a'));
}

TEST_CASE("inflate goes on where the stream does, in any number of parts") {
  std::vector<std::uint8_t> room(4);
  const auto stream = bytes_of(stored("abcd") + kChecksumOfAbcd), large = bytes_of(stored("abcde"));
  const auto in_bytes = [&](const std::vector<std::byte>& bytes) {
    std::vector<std::span<const std::byte>> parts;
    for (const std::byte& byte : bytes) parts.emplace_back(&byte, 1);
    parts.emplace_back();
    return inflate(parts, room);
  };
  CHECK(in_bytes(stream).size == 4);
  CHECK(in_bytes(stream).end == InflateEnd::kComplete);
  CHECK(std::string(room.begin(), room.end()) == "abcd");
  CHECK(in_bytes(large).end == InflateEnd::kTooLarge);
  CHECK(inflate({}, room).end == InflateEnd::kCutOff);
}

TEST_CASE("Apple's PNG is named") {
  const std::string text = png_header(1, 1);
  CHECK(contains(reason_of(text.substr(0, 8) + png_chunk("CgBI", "1234") + text.substr(8)),
                 "(CgBI) is not supported"));
}
