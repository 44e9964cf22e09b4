#include "train/faces/formats/appa_real.h"

#include <algorithm>
#include <array>
#include <vector>

#include "core/error.h"
#include "core/files.h"
#include "train/faces/formats/files.h"
#include "train/faces/formats/format.h"
#include "train/faces/formats/manifest.h"

namespace twinage {
namespace fs = std::filesystem;
namespace {

constexpr std::array<std::string_view, 3> kParts = {"train", "valid", "test"};

std::string list_name(std::string_view part) {
  return fmt::format("gt_avg_{}.csv", part);
}

bool has_list(const fs::path& root, std::string_view part) {
  std::error_code error;
  return fs::is_regular_file(root / list_name(part), error);
}

// The part, or all of them, that a folder or a list means.
std::optional<OfficialPlace> place_of(const fs::path& path) {
  std::error_code error;
  if (fs::is_directory(path, error)) return official_place(path, kParts, has_list);
  for (const std::string_view part : kParts)
    if (path.filename() == list_name(part) && has_list(path.parent_path(), part))
      return OfficialPlace{path.parent_path(), std::string(part)};
  return std::nullopt;
}

bool looks_like(const fs::path& path) {
  return place_of(path).has_value();
}

void read_part(FaceDataset& dataset, const fs::path& root, const std::string& part,
               AgeRanges ranges) {
  const fs::path list = root / list_name(part);
  read_appa_real_list(dataset, read_text_file(list), list, part, ranges);
  std::error_code error;
  if (fs::is_directory(root / part, error))
    skip_others(
        dataset, root / part,
        fmt::format("{} does not name it, or it is no crop (NAME_face.jpg)", list_name(part)));
}

// The part that is named; of the whole set the one to train on.
FaceDataset find(const fs::path& path, const FindOptions& options) {
  const auto place = place_of(path);
  require(place.has_value(),
          "[faces] {} is not of format appa-real: expected gt_avg_train.csv, gt_avg_valid.csv or "
          "gt_avg_test.csv beside the folders train/, valid/, test/",
          path.string());
  const std::vector<std::string> parts = place->part.empty()
                                             ? official_parts(place->root, kParts, has_list)
                                             : std::vector{place->part};
  FaceDataset dataset;
  for (const std::string& part : parts)
    if (part == parts.front() || options.parts == OfficialParts::all) {
      read_part(dataset, place->root, part, options.ranges);
    } else {
      skip_others(
          dataset, place->root / part,
          fmt::format("it is of the official part '{}': name that folder to read it", part));
    }
  return dataset;
}

}  // namespace

void read_appa_real_list(FaceDataset& dataset, std::string_view text, const fs::path& path,
                         std::string_view part, AgeRanges ranges) {
  const std::string before = fmt::format("{}/", part);
  Spelling spelling;
  spelling.path = "file_name";
  spelling.age = "real_age";
  spelling.official = true;
  spelling.before = before;
  spelling.after = "_face.jpg";
  const std::size_t first = dataset.faces.size();
  read_manifest(dataset, text, path, ranges, spelling);
  for (std::size_t i = first; i < dataset.faces.size(); ++i)
    dataset.faces[i].part = part == "valid" ? "val" : part;
}

namespace formats {
FaceFormat appa_real() {
  return {
      "appa-real",
      "a folder train/, valid/ or test/ beside gt_avg_train.csv (gt_avg_valid.csv, ...), such a "
      "list, or the folder of all, which means train/; the age is real_age, not the apparent "
      "one, the picture the crop NAME_face.jpg",
      "none",
      "genders, races, persons",
      looks_like,
      find};
}
}  // namespace formats
}  // namespace twinage
