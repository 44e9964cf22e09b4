#include "train/faces/formats/fg_net.h"

#include "core/error.h"
#include "train/faces/formats/files.h"
#include "train/faces/formats/format.h"

namespace twinage {
namespace fs = std::filesystem;
namespace {

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// Three digits, A, two digits, perhaps a letter. The numbers of digits are part of the form: with
// five before the A it is a name of All-Age-Faces.
struct Name {
  std::string_view person, age;
};
std::optional<Name> parts_of(std::string_view name) {
  std::string_view rest = name.substr(0, name.find('.'));
  Name parts;
  parts.person = take_digits(rest);
  if (parts.person.size() != 3 || rest.empty() || (rest[0] != 'A' && rest[0] != 'a'))
    return std::nullopt;
  rest.remove_prefix(1);
  parts.age = take_digits(rest);
  if (parts.age.size() != 2 || rest.size() > 1 || (rest.size() == 1 && !is_letter(rest[0])))
    return std::nullopt;
  return parts;
}

bool looks_like(const fs::path& path) {
  return any_picture(path, [](std::string_view name) { return parts_of(name).has_value(); });
}

FaceDataset find(const fs::path& path, const FindOptions& /*no ranges in names*/) {
  require_folder(path, "fg-net");
  FaceDataset dataset;
  search_folder(dataset, path, read_fg_net_name);
  return dataset;
}

}  // namespace

Reason read_fg_net_name(Face& face, std::string_view name) {
  const auto parts = parts_of(name);
  if (!parts) return "the name is not of FG-NET's form, such as 001A43a.JPG (person, age)";
  if (Reason reason = read_age(face.age, parts->age, AgeRanges::skip)) return reason;
  face.subject = without_zeros(parts->person);
  return std::nullopt;
}

namespace formats {
FaceFormat fg_net() {
  return {
      "fg-net",   "a folder of pictures named as 001A43a.JPG (person, A, age, perhaps a letter)",
      "none",     "genders, races",
      looks_like, find};
}
}  // namespace formats
}  // namespace twinage
