#include "train/faces/pictures/jpeg_reader.h"

#include <malloc.h>

#include "core/random.h"
#include "tests/train/faces/pictures/pictures.h"
#include "train/faces/pictures/jpeg_segments.h"

using namespace twinage;
using namespace twinage::test;

namespace {

constexpr const char* kKinds[] = {"baseline.jpg",     "progressive.jpg", "restarts.jpg",
                                  "half_colours.jpg", "rgb.jpg",         "cmyk.jpg"};
using Bytes = std::vector<std::byte>;

Image expected() {
  return gradient(60, 44);
}
bool looks_right(std::span<const std::byte> jpeg, int tolerance = 16) {
  return largest_difference(decode_image(jpeg, "test"), expected()) <= tolerance;
}

// Where the markers of this kind stand, each at its 0xFF.
std::vector<std::size_t> positions(std::span<const std::byte> jpeg, std::uint8_t marker) {
  std::vector<std::size_t> found;
  for (std::size_t at = 2;;) {
    const JpegMarkerAt next = next_jpeg_marker(jpeg, at);
    if (next.marker == kJpegNone) return found;
    if (next.marker == marker) found.push_back(next.behind - 2);
    at = next.behind;
  }
}
Bytes joined(std::span<const std::byte> a, std::span<const std::byte> b) {
  Bytes all(a.begin(), a.end());
  all.insert(all.end(), b.begin(), b.end());
  return all;
}
Bytes before_end(const Bytes& jpeg, std::string_view more) {
  const std::span all(jpeg);
  return joined(joined(all.first(all.size() - 2), bytes_of(more)), all.last(2));
}

}  // namespace

TEST_CASE("all kinds of JPEG show the picture they were made of") {
  for (const char* kind : kKinds) {
    CAPTURE(kind);
    CHECK(looks_right(fixture(kind)));
  }
}

TEST_CASE("a JPEG is good when all its blocks are there, whatever its tail lacks or has") {
  for (const char* kind : kKinds) {
    CAPTURE(kind);
    const Bytes jpeg = fixture(kind);
    const Image whole = decode_image(jpeg, "whole");
    const auto same = [&](std::span<const std::byte> bytes) {
      return decode_image(bytes, "test").rgb == whole.rgb;
    };
    CHECK(same(std::span(jpeg).first(jpeg.size() - 2)));
    CHECK(same(std::span(jpeg).first(jpeg.size() - 1)));
    CHECK(same(before_end(jpeg, {"\xFF\0", 2})));
    CHECK(same(before_end(jpeg, {"\0\0\x12\xFF\0\xFF\0\x34", 8})));
    CHECK(same(before_end(jpeg, "\xFF\xFF\xFF\xFF")));
    CHECK(same(before_end(jpeg, {"\xFF\xC4\0\5\x99", 5})));
    CHECK(same(joined(jpeg, bytes_of("behind the end"))));
    CHECK(same(joined(jpeg, fixture("rgb.jpg"))));  // as cameras store a second picture
  }
}

TEST_CASE(
    "a JPEG cut off anywhere is refused with how much is there, with an end behind it or not") {
  for (const char* kind : kKinds) {
    CAPTURE(kind);
    const Bytes jpeg = fixture(kind);
    const bool progressive = std::string_view(kind) == "progressive.jpg";
    std::size_t good = 0;
    for (std::size_t size = 4; size + 2 < jpeg.size(); ++size)
      for (const bool end : {false, true}) {
        CAPTURE(size);
        const Bytes part = joined(std::span(jpeg).first(size), bytes_of(end ? "\xFF\xD9" : ""));
        const std::string reason = reason_of(part);
        if (reason == "(decoded)") {
          ++good;
          // All blocks, in a progressive one perhaps without their finest bits.
          CHECK(looks_right(part, progressive ? 32 : 16));
        } else {
          // The end may stand where a segment's last bytes should, and be taken for them.
          CHECK((contains(reason, "cut off: ") || (end && contains(reason, "damaged"))));
        }
      }
    if (!progressive) CHECK(good == 0);
  }
  const Bytes jpeg = fixture("baseline.jpg");
  CHECK(reason_of(std::span(jpeg).first(positions(jpeg, kJpegScan)[0])) ==
        "the picture is cut off: 0 % of it is there");
}

TEST_CASE("a stretch of a JPEG that is missing between restart markers is noticed") {
  const Bytes jpeg = fixture("restarts.jpg");
  const auto second = positions(jpeg, kJpegRestart0 + 1),
             third = positions(jpeg, kJpegRestart0 + 2);
  REQUIRE(!second.empty());
  REQUIRE(!third.empty());
  const std::span all(jpeg);
  CHECK(contains(reason_of(joined(all.first(second[0]), all.subspan(third[0]))), "damaged"));
  CHECK(contains(reason_of(joined(all.first(third[0]), all.last(2))), "cut off: "));
}

TEST_CASE("a fill byte may stand before every marker, and one segment may hold all tables") {
  const Bytes jpeg = fixture("baseline.jpg");
  Bytes filled(jpeg.begin(), jpeg.begin() + 2), tables;
  visit_jpeg_segments(jpeg, [&](std::uint8_t marker, std::span<const std::byte> content) {
    if (marker == kJpegHuffmanTables) tables.insert(tables.end(), content.begin(), content.end());
    const std::string head = std::string("\xFF\xFF\xFF") + static_cast<char>(marker) +
                             big_endian(static_cast<std::uint32_t>(content.size()) + 2, 2);
    filled = joined(joined(filled, bytes_of(head)), content);
    return marker != kJpegScan;
  });
  const std::size_t data = next_jpeg_marker(jpeg, positions(jpeg, kJpegScan)[0]).behind + 12;
  const std::span scan = std::span(jpeg).subspan(data);
  CHECK(looks_right(joined(filled, scan)));
  const std::size_t first = positions(jpeg, kJpegHuffmanTables)[0];
  const Bytes merged =
      joined(joined(joined(std::span(jpeg).first(first),
                           bytes_of("\xFF\xC4" +
                                    big_endian(static_cast<std::uint32_t>(tables.size()) + 2, 2))),
                    tables),
             std::span(jpeg).subspan(positions(jpeg, kJpegScan)[0]));
  CHECK(looks_right(merged));
}

TEST_CASE("the height may stand behind the scan") {
  Bytes jpeg = fixture("baseline.jpg");
  const std::size_t frame = positions(jpeg, kJpegBaseline)[0];
  jpeg[frame + 5] = jpeg[frame + 6] = std::byte{0};
  CHECK(reason_of(jpeg) == "it has no pixels");
  CHECK(looks_right(before_end(jpeg, {"\xFF\xDC\0\4\0\x2C", 6})));
}

TEST_CASE("four colours are inverted CMYK with Adobe's marker and without") {
  Bytes jpeg = fixture("cmyk.jpg");
  const Image with = decode_image(jpeg, "with");
  const auto adobe = positions(jpeg, kJpegApplication14);
  REQUIRE(adobe.size() == 1);
  const auto first = jpeg.begin() + static_cast<std::ptrdiff_t>(adobe[0]);
  jpeg.erase(first, first + 16);
  CHECK(decode_image(jpeg, "without").rgb == with.rgb);
}

TEST_CASE("kinds of JPEG that are not read are named") {
  const Bytes jpeg = fixture("baseline.jpg");
  const std::size_t frame = positions(jpeg, kJpegBaseline)[0];
  const auto with = [&](std::size_t at, int value) {
    Bytes changed = jpeg;
    changed[frame + at] = static_cast<std::byte>(value);
    return reason_of(changed);
  };
  constexpr const char* kRest = " is not supported: convert it to JPEG or PNG";
  CHECK(with(1, 0xC9) == std::string("an arithmetic-coded JPEG") + kRest);
  CHECK(with(1, 0xCA) == std::string("an arithmetic-coded JPEG") + kRest);
  CHECK(with(1, 0xC3) == std::string("a lossless JPEG") + kRest);
  CHECK(with(1, 0xC5) == std::string("a hierarchical JPEG") + kRest);
  CHECK(with(4, 12) == std::string("a JPEG of 12 bits a colour") + kRest);
}

TEST_CASE("scans without end are not gone through") {
  const Bytes jpeg = fixture("progressive.jpg");
  const auto scans = positions(jpeg, kJpegScan);
  REQUIRE(scans.size() > 2);
  // The second one begins with its table: up to there goes the first, of all DC coefficients.
  const std::size_t end = positions(std::span(jpeg).subspan(scans[0]), kJpegHuffmanTables)[0];
  Bytes many(jpeg.begin(), jpeg.begin() + static_cast<std::ptrdiff_t>(scans[0] + end));
  const Bytes one = bytes_of({"\xFF\xDA\0\x08\1\1\0\0\0\x21", 10});  // a bit of each block
  const Bytes bits(200, std::byte{0x55});
  for (int i = 0; i < 100; ++i) many = joined(joined(many, one), bits);
  CHECK(contains(reason_of(many), "more than 100 scans"));
}

// glibc fills memory that is given out with a byte of our choice.
TEST_CASE("what a damaged JPEG shows or says does not depend on what lay in memory") {
  Random random(11);
  for (const char* kind : kKinds) {
    const Bytes whole = fixture(kind);
    for (int trial = 0; trial < 200; ++trial) {
      Bytes bytes = whole;
      for (int i = 0; i < 1 + trial % 3; ++i)
        bytes[random.below(bytes.size())] = static_cast<std::byte>(random.bits() & 0xFF);
      if (trial % 4 == 0) bytes.resize(random.below(bytes.size()));
      const auto outcome = [&](int fill) {
        mallopt(M_PERTURB, fill);
        try {
          const Image image = decode_image(bytes, "damaged");
          return std::string(image.rgb.begin(), image.rgb.end());
        } catch (const ImageError& error) {
          return error.reason;
        }
      };
      const std::string once = outcome(0x15), again = outcome(0xC8);
      mallopt(M_PERTURB, 0);
      REQUIRE(once == again);
    }
  }
}
