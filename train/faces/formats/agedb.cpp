#include "train/faces/formats/agedb.h"

#include "core/error.h"
#include "train/faces/formats/files.h"
#include "train/faces/formats/format.h"

namespace twinage {
namespace fs = std::filesystem;
namespace {

struct Name {
  std::string_view person, age, gender;
};
// From both ends, as nobody knows what a person's name may hold.
std::optional<Name> parts_of(std::string_view name) {
  std::string_view rest = name.substr(0, name.rfind('.'));
  if (take_digits(rest).empty() || !rest.starts_with('_')) return std::nullopt;
  rest.remove_prefix(1);
  Name parts;
  const auto take_last = [&] {
    const std::size_t at = rest.rfind('_');
    if (at == rest.npos) return std::string_view();
    const std::string_view last = rest.substr(at + 1);
    rest = rest.substr(0, at);
    return last;
  };
  parts.gender = take_last();
  parts.age = take_last();
  parts.person = rest;
  std::string_view digits = parts.age;
  const bool is_age = !take_digits(digits).empty() && digits.empty();
  const bool is_gender = parts.gender.size() == 1 && gender_of(parts.gender) >= 0 &&
                         std::string_view("01").find(parts.gender) == std::string_view::npos;
  // A number there is a label of UTKFace's names.
  const std::string_view word = parts.person.substr(0, parts.person.find('_'));
  const bool is_person = word.find_first_not_of("0123456789 ") != std::string_view::npos;
  if (!is_age || !is_gender || !is_person) return std::nullopt;
  return parts;
}

bool looks_like(const fs::path& path) {
  return any_picture(path, [](std::string_view name) { return parts_of(name).has_value(); });
}

FaceDataset find(const fs::path& path, const FindOptions& /*no ranges in names*/) {
  require_folder(path, "agedb");
  FaceDataset dataset;
  search_folder(dataset, path, read_agedb_name);
  return dataset;
}

}  // namespace

Reason read_agedb_name(Face& face, std::string_view name) {
  const auto parts = parts_of(name);
  if (!parts)
    return "the name is not of AgeDB's form, such as 1000_StephenHawking_53_m.jpg (number, person, "
           "age, gender)";
  if (Reason reason = read_age(face.age, parts->age, AgeRanges::skip)) return reason;
  face.gender = gender_of(parts->gender);
  face.subject = parts->person;
  return std::nullopt;
}

namespace formats {
FaceFormat agedb() {
  return {
      "agedb",
      "a folder of pictures named as 1000_StephenHawking_53_m.jpg (number, person, age, gender)",
      "m male, f female",
      "races",
      looks_like,
      find};
}
}  // namespace formats
}  // namespace twinage
