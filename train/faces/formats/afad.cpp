#include "train/faces/formats/afad.h"

#include "core/error.h"
#include "train/faces/formats/files.h"
#include "train/faces/formats/format.h"

namespace twinage {
namespace fs = std::filesystem;
namespace {

struct Place {
  std::string age, gender;
};
std::optional<Place> place_of(const fs::path& path) {
  const fs::path gender = path.parent_path(), age = gender.parent_path();
  const std::string name = path.filename().string();
  std::string_view rest = std::string_view(name).substr(0, name.find('.'));
  if (take_digits(rest).empty() || !rest.starts_with('-')) return std::nullopt;
  rest.remove_prefix(1);
  if (take_digits(rest).empty() || !rest.empty()) return std::nullopt;
  Place place{age.filename().string(), gender.filename().string()};
  std::string_view years = place.age;
  if (take_digits(years).empty() || !years.empty()) return std::nullopt;
  if (place.gender != "111" && place.gender != "112") return std::nullopt;
  return place;
}

// "." and "18" do not name the folders above them.
fs::path whole(const fs::path& path) {
  std::error_code error;
  return fs::absolute(path, error).lexically_normal();
}

bool looks_like(const fs::path& path) {
  return any_picture_at(
      path, [](const fs::path& picture) { return place_of(whole(picture)).has_value(); });
}

FaceDataset find(const fs::path& path, const FindOptions& /*no ranges in names*/) {
  require_folder(path, "afad");
  FaceDataset dataset;
  search_folder(dataset, path, [](Face& face, std::string_view /*name*/) {
    return read_afad_path(face, whole(face.path));
  });
  return dataset;
}

}  // namespace

Reason read_afad_path(Face& face, const fs::path& path) {
  const auto place = place_of(path);
  if (!place)
    return "it does not lie where AFAD's pictures do, such as 18/111/109428-0.jpg (age, gender)";
  if (Reason reason = read_age(face.age, place->age, AgeRanges::skip)) return reason;
  face.gender = place->gender == "111" ? 0 : 1;
  return std::nullopt;
}

namespace formats {
FaceFormat afad() {
  return {"afad",
          "folders of ages, in each 111 and 112 with pictures named ID-N.jpg, as "
          "AFAD-Full/18/111/109428-0.jpg",
          "the folder: 111 male, 112 female",
          "races, persons",
          looks_like,
          find};
}
}  // namespace formats
}  // namespace twinage
