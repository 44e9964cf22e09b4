// Pictures of faces for a page: many small squares in a few JPEGs.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "tools/report/figure.h"
#include "train/faces/pictures/image.h"

namespace twinage {

// Collects squares of one size and gives each its place.
class SheetMaker {
 public:
  // side: pixels of a square; quality: of the JPEG, 1 to 100.
  SheetMaker(std::size_t side, int quality) : side_(side), quality_(quality) {}

  // The place of a picture, cut to a square around its middle; of a file that can no longer be
  // read, none. One of the same path has one place.
  std::optional<std::size_t> add_file(const std::string& path);
  std::size_t add(const Image& image);
  bool empty() const { return squares_.empty(); }
  Sheet sheet() const;

 private:
  std::size_t side_;
  int quality_;
  std::vector<Image> squares_;
  std::vector<std::pair<std::string, std::size_t>> files_;
};

// Sheets of many files at once, decoded on `threads` threads; places in the order of the paths.
struct Thumbnails {
  Sheet sheet;
  std::vector<std::optional<std::size_t>> places;  // none: the file can no longer be read
};
Thumbnails thumbnails_of(const std::vector<std::string>& paths, std::size_t side, int quality,
                         int threads);

}  // namespace twinage
