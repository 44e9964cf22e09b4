#include "train/faces/formats/all_age_faces.h"

#include <algorithm>
#include <charconv>
#include <map>

#include "core/error.h"
#include "train/faces/copies.h"
#include "train/faces/formats/files.h"
#include "train/faces/formats/format.h"

namespace twinage {
namespace fs = std::filesystem;
namespace {

constexpr int kLastFemale = 7380;

// Five digits, A, two digits or three. With three before the A it is a name of FG-NET's.
struct Name {
  std::string_view number, age;
};
std::optional<Name> parts_of(std::string_view name) {
  std::string_view rest = name.substr(0, name.find('.'));
  Name parts;
  parts.number = take_digits(rest);
  if (parts.number.size() != 5 || rest.empty() || (rest[0] != 'A' && rest[0] != 'a'))
    return std::nullopt;
  rest.remove_prefix(1);
  parts.age = take_digits(rest);
  if (parts.age.size() < 2 || parts.age.size() > 3 || !rest.empty()) return std::nullopt;
  return parts;
}

bool looks_like(const fs::path& path) {
  return any_picture(path, [](std::string_view name) { return parts_of(name).has_value(); });
}

// The set has each face twice, "original images/00000A02.jpg" and "aglined faces/00000A02.jpg" (as
// it is spelt there). Read as two they would be on both sides of a split, and no comparison of
// contents would tell.
bool is_aligned(const Face& face) {
  const std::string folder = lower(fs::path(face.path).parent_path().filename().string());
  return folder.starts_with("aglined") || folder.starts_with("aligned");
}

void keep_one_of_a_name(FaceDataset& dataset) {
  std::ranges::stable_sort(dataset.faces, {}, &Face::path);
  std::map<std::string, std::size_t> best;
  const auto name_of = [](const Face& face) { return fs::path(face.path).filename().string(); };
  for (std::size_t i = 0; i < dataset.faces.size(); ++i) {
    const auto [found, is_new] = best.emplace(name_of(dataset.faces[i]), i);
    if (!is_new && !is_aligned(dataset.faces[found->second]) && is_aligned(dataset.faces[i]))
      found->second = i;
  }
  std::vector<Index> stayed;
  for (std::size_t i = 0; i < dataset.faces.size(); ++i) {
    const Face& face = dataset.faces[i];
    const std::size_t kept = best.at(name_of(face));
    if (kept == i) {
      stayed.push_back(static_cast<Index>(i));
    } else {
      const fs::path other = fs::path(dataset.faces[kept].path).parent_path().filename();
      dataset.skipped.push_back(
          {face.path,
           fmt::format("the same face is in '{}', under the same name", other.string())});
    }
  }
  keep_faces(dataset, stayed);
}

FaceDataset find(const fs::path& path, const FindOptions& /*no ranges in names*/) {
  require_folder(path, "all-age-faces");
  FaceDataset dataset;
  search_folder(dataset, path, read_all_age_faces_name);
  keep_one_of_a_name(dataset);
  return dataset;
}

}  // namespace

Reason read_all_age_faces_name(Face& face, std::string_view name) {
  const auto parts = parts_of(name);
  if (!parts) return "the name is not of All-Age-Faces' form, such as 07381A02.jpg (number, age)";
  if (Reason reason = read_age(face.age, parts->age, AgeRanges::skip)) return reason;
  int number = 0;
  std::from_chars(parts->number.data(), parts->number.data() + parts->number.size(), number);
  face.gender = number <= kLastFemale ? 1 : 0;
  return std::nullopt;
}

namespace formats {
FaceFormat all_age_faces() {
  return {"all-age-faces",
          "a folder of pictures named as 07381A02.jpg (number, A, age); of a face that is there "
          "twice the aligned one",
          "the number: up to 7380 female, beyond male",
          "races, persons",
          looks_like,
          find};
}
}  // namespace formats
}  // namespace twinage
