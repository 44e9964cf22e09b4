#include "tools/report/sheets.h"

#include <algorithm>
#include <cmath>

#include "core/parallel.h"

namespace twinage {
namespace {

// Nothing where the file is gone or damaged: the page is made of what is left.
std::optional<Image> square_of(const std::string& path, std::size_t side) {
  try {
    return resize_square(read_image(path), static_cast<Index>(side));
  } catch (const Error&) {
    return std::nullopt;
  }
}

Sheet joined(const std::vector<Image>& squares, std::size_t side, int quality) {
  Sheet sheet{side, 0, squares.size(), {}};
  if (squares.empty()) return sheet;
  sheet.columns =
      static_cast<std::size_t>(std::ceil(std::sqrt(static_cast<double>(squares.size()))));
  const std::size_t rows = (squares.size() + sheet.columns - 1) / sheet.columns;
  const auto width = static_cast<Index>(sheet.columns * side),
             height = static_cast<Index>(rows * side);
  Image all{width, height,
            std::vector<std::uint8_t>(static_cast<std::size_t>(width * height * 3), 127)};
  for (std::size_t i = 0; i < squares.size(); ++i) {
    const auto left = static_cast<Index>(i % sheet.columns * side),
               top = static_cast<Index>(i / sheet.columns * side);
    for (Index y = 0; y < static_cast<Index>(side); ++y)
      std::copy_n(squares[i].pixel(y, 0), 3 * side, all.pixel(top + y, left));
  }
  sheet.jpeg = encode_jpeg(all, quality);
  return sheet;
}

}  // namespace

std::optional<std::size_t> SheetMaker::add_file(const std::string& path) {
  const auto known = std::ranges::find(files_, path, &std::pair<std::string, std::size_t>::first);
  if (known != files_.end()) return known->second;
  const std::optional<Image> square = square_of(path, side_);
  if (!square) return std::nullopt;
  files_.emplace_back(path, squares_.size());
  squares_.push_back(*square);
  return squares_.size() - 1;
}

std::size_t SheetMaker::add(const Image& image) {
  squares_.push_back(resize_square(image, static_cast<Index>(side_)));
  return squares_.size() - 1;
}

Sheet SheetMaker::sheet() const {
  return joined(squares_, side_, quality_);
}

Thumbnails thumbnails_of(const std::vector<std::string>& paths, std::size_t side, int quality,
                         int threads) {
  std::vector<std::optional<Image>> squares(paths.size());
  parallel_for(threads, static_cast<Index>(paths.size()), [&](Index i, int) {
    const auto at = static_cast<std::size_t>(i);
    squares[at] = square_of(paths[at], side);
  });
  Thumbnails result;
  std::vector<Image> readable;
  for (auto& square : squares) {
    result.places.emplace_back();
    if (!square) continue;
    result.places.back() = readable.size();
    readable.push_back(std::move(*square));
  }
  result.sheet = joined(readable, side, quality);
  return result;
}

}  // namespace twinage
