#include "train/faces/formats/utkface.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>

#include "core/error.h"
#include "train/faces/formats/files.h"
#include "train/faces/formats/format.h"

namespace twinage {
namespace fs = std::filesystem;
namespace {

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

bool all_digits(std::string_view text) {
  return text.find_first_not_of("0123456789") == text.npos;
}

// The first three labels of age_gender_race_time; fewer where the name has fewer, none where they
// are no numbers.
struct Labels {
  std::array<std::string_view, 3> text;
  std::size_t found = 0;
};
Labels labels_of(std::string_view name) {
  Labels labels;
  for (std::string_view rest = name; labels.found < 3; ++labels.found) {
    const std::size_t end = rest.find('_');
    if (end == rest.npos) break;
    if (!all_digits(rest.substr(0, end))) return {};
    labels.text[labels.found] = rest.substr(0, end);
    rest.remove_prefix(end + 1);
  }
  return labels;
}

// Two numbers before the time: also the names that lack a label, which no other format has.
bool looks_like(const fs::path& path) {
  return any_picture(path, [](std::string_view name) { return labels_of(name).found >= 2; });
}

FaceDataset find(const fs::path& path, const FindOptions& /*no ranges in names*/) {
  require_folder(path, "utkface");
  FaceDataset dataset;
  search_folder(dataset, path, read_utkface_name);
  return dataset;
}

}  // namespace

// [age]_[gender]_[race]_[yyyymmddHHMMSSFFF].jpg.chip.jpg. Only the three labels are looked at: in
// the time of two real names stands a space or no dot, which does no harm. Three real names lack a
// label; which one is not known, so that they cannot be used.
Reason read_utkface_name(Face& face, std::string_view name) {
  const auto [labels, found] = labels_of(name);
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

namespace formats {
FaceFormat utkface() {
  return {
      "utkface",
      "a folder of pictures named age_gender_race_time.jpg, as 'twinage synth' writes them, too",
      "0 male, 1 female (race 0 to 4: White, Black, Asian, Indian, Other)",
      "persons",
      looks_like,
      find};
}
}  // namespace formats
}  // namespace twinage
