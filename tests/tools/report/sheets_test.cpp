#include "tools/report/sheets.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include "core/files.h"

using namespace twinage;
namespace fs = std::filesystem;

namespace {

Image plain(std::uint8_t value) {
  return {20, 30, std::vector<std::uint8_t>(20 * 30 * 3, value)};
}

}  // namespace

TEST_CASE("a sheet has each picture at its place, row by row") {
  SheetMaker maker(16, 95);
  CHECK(maker.empty());
  for (const int value : {0, 100, 200, 250, 30}) maker.add(plain(static_cast<std::uint8_t>(value)));
  const Sheet sheet = maker.sheet();
  CHECK(sheet.count == 5);
  CHECK(sheet.columns == 3);
  const Image all = decode_image(sheet.jpeg, "sheet");
  REQUIRE(all.width == 48);
  REQUIRE(all.height == 32);
  const int expected[] = {0, 100, 200, 250, 30, 127};  // what is left over is grey
  for (Index place = 0; place < 6; ++place)
    CHECK(all.pixel(place / 3 * 16 + 8, place % 3 * 16 + 8)[1] ==
          doctest::Approx(expected[place]).epsilon(0.05));
}

TEST_CASE("files: one place for each path, none for what can no longer be read") {
  const fs::path folder = fs::temp_directory_path() / fmt::format("twinage_sheets_{}", ::getpid());
  fs::create_directories(folder);
  write_png(folder / "a.png", plain(50));
  write_file_atomically(folder / "bad.png", "no picture");
  SheetMaker maker(16, 80);
  CHECK(maker.add_file(folder / "a.png") == std::size_t{0});
  CHECK(maker.add_file(folder / "a.png") == std::size_t{0});
  CHECK_FALSE(maker.add_file(folder / "bad.png").has_value());
  CHECK_FALSE(maker.add_file(folder / "gone.png").has_value());
  CHECK(maker.sheet().count == 1);
  const Thumbnails thumbnails = thumbnails_of(
      {folder / "gone.png", folder / "a.png", folder / "bad.png", folder / "a.png"}, 16, 80, 2);
  REQUIRE(thumbnails.places.size() == 4);
  CHECK_FALSE(thumbnails.places[0].has_value());
  CHECK(thumbnails.places[1] == std::size_t{0});
  CHECK_FALSE(thumbnails.places[2].has_value());
  CHECK(thumbnails.places[3] == std::size_t{1});
  CHECK(thumbnails.sheet.count == 2);
  CHECK(thumbnails_of({}, 16, 80, 1).sheet.count == 0);
  fs::remove_all(folder);
}
