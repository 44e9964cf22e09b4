#include "train/faces/formats/morph.h"

#include <algorithm>
#include <vector>

#include "core/error.h"
#include "train/faces/formats/files.h"
#include "train/faces/formats/format.h"
#include "train/faces/formats/manifest.h"

namespace twinage {
namespace fs = std::filesystem;
namespace {

struct Name {
  std::string_view person, gender, age;
};
std::optional<Name> parts_of(std::string_view name) {
  std::string_view rest = name.substr(0, name.find('.'));
  Name parts;
  parts.person = take_digits(rest);
  if (parts.person.empty() || !rest.starts_with('_')) return std::nullopt;
  rest.remove_prefix(1);
  if (take_digits(rest).empty() || rest.empty()) return std::nullopt;
  parts.gender = rest.substr(0, 1);
  rest.remove_prefix(1);
  parts.age = take_digits(rest);
  const bool known = std::string_view("MmFf").find(parts.gender) != std::string_view::npos;
  if (!known || parts.age.empty() || !rest.empty()) return std::nullopt;
  return parts;
}

// A number without its leading zeros; other words as they are, and of "unknown" nothing.
std::string person_of(std::string_view word) {
  if (is_missing(word)) return "";
  std::string_view rest = word;
  take_digits(rest);
  return rest.empty() ? without_zeros(word) : std::string(word);
}

// MORPH's letters. Its I, few, are American Indians and not UTKFace's Indian.
std::string race_of(std::string_view word) {
  const std::string letter = lower(trimmed(word));
  if (letter == "w") return "White";
  if (letter == "b") return "Black";
  if (letter == "a") return "Asian";
  if (letter == "h") return "Hispanic";
  if (letter == "i") return "American Indian";
  if (letter == "o") return "Other";
  if (letter == "u") return "";
  return std::string(word);
}

// id_num,picture_num,dob,doa,race,gender,facial_hair,age,age_diff,glasses,photo
constexpr Spelling kSpelling = {"photo", "id_num", race_of, person_of, true};

bool is_list(const fs::path& path) {
  const std::vector<std::string> header = header_of(path);
  return std::ranges::all_of(std::vector{"id_num", "age", "photo"}, [&](std::string_view column) {
    return std::ranges::find(header, column) != header.end();
  });
}

std::vector<fs::path> lists_in(const fs::path& folder) {
  std::vector<fs::path> lists = files_with(folder, ".csv");
  std::erase_if(lists, [](const fs::path& file) { return !is_list(file); });
  return lists;
}

bool looks_like(const fs::path& path) {
  std::error_code error;
  if (!fs::is_directory(path, error)) return is_list(path);
  return any_picture(path, [](std::string_view name) { return parts_of(name).has_value(); }) ||
         !lists_in(path).empty();
}

// By the list, where there is one; else by the pictures' names, which lack the races.
FaceDataset find(const fs::path& path, const FindOptions& options) {
  FaceDataset dataset;
  std::error_code error;
  if (!fs::is_directory(path, error)) {  // a part of the set: other pictures are left alone
    require(is_list(path),
            "[faces] {} is no list of MORPH: expected the columns id_num, age, photo",
            path.string());
    read_manifest(dataset, path, options.ranges, kSpelling);
    return dataset;
  }
  const std::vector<fs::path> lists = lists_in(path);
  require(lists.size() <= 1, "[faces] {} holds {} lists of MORPH: name one of them, such as {}",
          path.string(), lists.size(), lists.empty() ? "" : lists.front().string());
  if (lists.empty()) {
    search_folder(dataset, path, read_morph_name);
  } else {
    read_manifest(dataset, lists.front(), options.ranges, kSpelling);
    skip_others(dataset, path,
                fmt::format("{} does not name it", lists.front().filename().string()));
  }
  return dataset;
}

}  // namespace

Reason read_morph_name(Face& face, std::string_view name) {
  const auto parts = parts_of(name);
  if (!parts) return "the name is not of MORPH's form, such as 009055_1M54.JPG";
  if (Reason reason = read_age(face.age, parts->age, AgeRanges::skip)) return reason;
  face.gender = gender_of(parts->gender);
  face.subject = person_of(parts->person);
  return std::nullopt;
}

namespace formats {
FaceFormat morph() {
  return {"morph",
          "a folder of pictures named as 009055_1M54.JPG (person, picture, sex, age), with MORPH's "
          "list morph_2008_nonCommercial.csv or without, or such a list",
          "M male, F female",
          "races, where its list is not there",
          looks_like,
          find};
}
}  // namespace formats
}  // namespace twinage
