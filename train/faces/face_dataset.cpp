#include "train/faces/face_dataset.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>

#include "core/error.h"
#include "train/faces/copies.h"
#include "train/faces/formats/manifest.h"
#include "train/faces/pictures/image.h"

namespace twinage {
namespace fs = std::filesystem;
namespace {

constexpr std::array<std::string_view, kGenders> kGenderNames = {"male", "female"};

std::string what_is_understood() {
  return fmt::format(
      "expected a folder of pictures ({}) named age_gender_race_time.jpg as in UTKFace (gender: 0 "
      "male, 1 female; race: 0 to {}), or a CSV manifest with a header line such as "
      "path,age,gender,race,subject (path and age are needed)",
      kPictureExtensions, kRaces - 1);
}

template <class Number>
std::optional<Number> parse_number(std::string_view text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

Reason check_age(double age, std::string_view text) {
  if (age >= 0 && age <= kMaxAge) return std::nullopt;
  return fmt::format("age {} is outside 0..{:g}", text, kMaxAge);
}

// --- A folder of UTKFace names -------------------------------------------------------------------

bool all_digits(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == text.npos;
}

Reason read_folder_entry(Face& face, const fs::directory_entry& entry) {
  const std::string name = entry.path().filename().string();
  if (name.starts_with('.')) return "it is hidden (the name starts with a dot)";
  if (!has_picture_extension(entry.path()))
    return fmt::format("it is not a picture ({})", kPictureExtensions);
  if (Reason reason = check_file(entry.path())) return reason;
  return read_utkface_name(face, name);
}

// Walks by hand: a folder that may not be read is reported, and links to folders, which may lead
// in circles, are not followed.
void search_folder(FaceDataset& dataset, const fs::path& folder) {
  std::error_code error;
  fs::directory_iterator entry(folder, error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    Face face;
    face.path = entry->path().string();
    std::error_code status;
    const bool is_folder = entry->is_directory(status);
    Reason reason;
    if (is_folder && entry->is_symlink(status)) {
      reason = "it is a link to a folder, which is not followed";
    } else if (is_folder && entry->path().filename().string().starts_with('.')) {
      reason = "it is a hidden folder (the name starts with a dot)";
    } else if (is_folder) {
      search_folder(dataset, entry->path());
      continue;
    } else {
      reason = read_folder_entry(face, *entry);
    }
    if (reason) {
      dataset.skipped.push_back({face.path, *reason});
    } else {
      dataset.faces.push_back(std::move(face));
    }
  }
  if (error)
    dataset.skipped.push_back(
        {folder.string(), fmt::format("the folder cannot be read: {}", error.message())});
}

// Says what was found instead of faces, and points to a manifest that lies in the folder.
[[noreturn]] void fail_without_faces(const FaceDataset& dataset, const fs::path& path) {
  std::string found = "nothing was found in it";
  if (!dataset.skipped.empty()) {
    const Skipped& first = dataset.skipped.front();
    found =
        fmt::format("{} skipped, the first, {}{}, because: {}", dataset.skipped.size(), first.path,
                    first.where.empty() ? "" : " (" + first.where + ")", first.reason);
  }
  for (const Skipped& other : dataset.skipped)
    if (dataset.format == "utkface" && lower(fs::path(other.path).extension().string()) == ".csv")
      found += fmt::format("; if {} is a manifest, name it instead of the folder", other.path);
  fail("[faces] no usable face in {} ({}): {}", path.string(), found, what_is_understood());
}

}  // namespace

// [age]_[gender]_[race]_[yyyymmddHHMMSSFFF].jpg.chip.jpg. Only the three labels are looked at: in
// the time of two real names stands a space or no dot, which does no harm. Three real names lack a
// label; which one is not known, so that they cannot be used.
Reason read_utkface_name(Face& face, std::string_view name) {
  std::array<std::string_view, 3> labels;
  std::size_t found = 0;
  for (std::string_view rest = name; found < 3; ++found) {
    const std::size_t end = rest.find('_');
    if (end == rest.npos) break;
    labels[found] = rest.substr(0, end);
    rest.remove_prefix(end + 1);
  }
  for (std::size_t i = 0; i < found; ++i)
    if (!labels[i].empty() && !all_digits(labels[i])) found = 0;
  if (found == 0) return "the name is not of the form age_gender_race_time.jpg";
  if (found < 3 || std::ranges::any_of(labels, [](auto label) { return label.empty(); }))
    return "the name lacks one of age_gender_race_time";

  const double age = parse_number<double>(labels[0]).value_or(HUGE_VAL);
  if (Reason reason = check_age(age, labels[0])) return reason;
  face.age = static_cast<float>(age);
  face.gender = parse_number<std::int32_t>(labels[1]).value_or(kGenders);
  if (face.gender >= kGenders)
    return fmt::format("gender {} is neither 0 (male) nor 1 (female)", labels[1]);
  face.race = parse_number<std::int32_t>(labels[2]).value_or(kRaces);
  if (face.race >= kRaces) return fmt::format("race {} is outside 0..{}", labels[2], kRaces - 1);
  return std::nullopt;
}

std::string_view gender_name(std::int32_t gender) {
  return gender < 0 || gender >= kGenders ? "unknown" : kGenderNames[static_cast<unsigned>(gender)];
}

std::string race_name(const FaceDataset& dataset, std::int32_t race) {
  const bool known = race >= 0 && static_cast<std::size_t>(race) < dataset.race_names.size();
  return known ? dataset.race_names[static_cast<std::size_t>(race)] : "unknown";
}

std::string description(const Skipped& skipped) {
  const bool named = skipped.reason.find(skipped.path) != std::string::npos;
  const std::string where = skipped.where.empty() ? "" : " (" + skipped.where + ")";
  return named ? skipped.reason : skipped.path + where + ": " + skipped.reason;
}

FaceDataset find_faces(const fs::path& path, AgeRanges ranges) {
  std::error_code error;
  require(fs::exists(path, error), "[faces] there is no {}: {}", path.string(),
          what_is_understood());
  FaceDataset dataset;
  if (fs::is_directory(path, error)) {
    dataset.format = "utkface";
    search_folder(dataset, path);
  } else {
    dataset.format = "manifest";
    require(!has_picture_extension(path), "[faces] {} is one picture: {}", path.string(),
            what_is_understood());
    require(fs::file_size(path, error) > 0, "[faces] {} is empty: {}", path.string(),
            what_is_understood());
    read_manifest(dataset, path, ranges);
  }
  std::ranges::stable_sort(dataset.faces, {}, &Face::path);
  merge_rows_of_one_file(dataset);
  std::ranges::stable_sort(dataset.skipped, {}, &Skipped::path);
  if (dataset.faces.empty()) fail_without_faces(dataset, path);
  return dataset;
}

}  // namespace twinage
