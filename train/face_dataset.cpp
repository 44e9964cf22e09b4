#include "train/face_dataset.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <map>
#include <optional>
#include <unordered_set>

#include "core/error.h"
#include "core/files.h"
#include "train/csv.h"
#include "train/image.h"

namespace twinage {
namespace fs = std::filesystem;
namespace {

constexpr std::array<std::string_view, kGenders> kGenderNames = {"male", "female"};
constexpr std::array<std::string_view, kRaces> kRaceNames = {"White", "Black", "Asian", "Indian",
                                                             "Other"};

// Why something cannot be used; nothing if it can.
using Reason = std::optional<std::string>;

std::string what_is_understood() {
  return fmt::format(
      "expected a folder of pictures ({}) named age_gender_race_time.jpg as in UTKFace (gender: 0 "
      "male, 1 female; race: 0 to {}), or a CSV manifest with a header line such as "
      "path,age,gender,race,subject (path and age are needed)",
      kPictureExtensions, kRaces - 1);
}

std::string lower(std::string_view text) {
  std::string result(text);
  // ASCII only, whatever the locale: the words compared with are English.
  for (char& c : result)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return result;
}

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
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

Reason check_file(const fs::path& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (status.type() == fs::file_type::not_found) return "there is no such file";
  if (error) return fmt::format("the file cannot be looked at: {}", error.message());
  if (status.type() != fs::file_type::regular) return "it is not a regular file";
  const auto bytes = fs::file_size(path, error);
  if (error) return fmt::format("the file cannot be looked at: {}", error.message());
  if (bytes == 0) return "the file is empty (0 bytes)";
  return std::nullopt;
}

// --- A folder of UTKFace names -------------------------------------------------------------------

bool all_digits(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == text.npos;
}

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

// --- A CSV manifest ------------------------------------------------------------------------------

// Where each known column stands in a row.
using Columns = std::map<std::string, std::size_t, std::less<>>;

Columns read_header(const CsvRow& header, const std::string& manifest) {
  Columns columns;
  for (std::size_t i = 0; i < header.fields.size(); ++i) {
    const std::string name = lower(trimmed(header.fields[i]));
    require(columns.emplace(name, i).second || name.empty(),
            "[faces] {}: the header names the column '{}' twice", manifest, name);
  }
  require(columns.contains("path") && columns.contains("age"),
          "[faces] {}: expected a header with the columns path and age (and optionally gender, "
          "race, subject), separated by commas, got: {}",
          manifest, fmt::join(header.fields, ","));
  return columns;
}

// An index, or one of `names` in any case; -1 for an empty field. Whole numbers may be written with
// decimals (1.0), as pandas does where a column has gaps.
template <std::size_t count>
std::optional<std::int32_t> parse_label(std::string_view text,
                                        const std::array<std::string_view, count>& names,
                                        bool initials) {
  if (text.empty()) return -1;
  const std::string word = lower(text);
  for (std::size_t i = 0; i < count; ++i) {
    const std::string name = lower(names[i]);
    const bool is_number = parse_number<double>(word) == static_cast<double>(i);
    if (is_number || word == name || (initials && word == name.substr(0, 1)))
      return static_cast<std::int32_t>(i);
  }
  return std::nullopt;
}

class ManifestReader {
 public:
  ManifestReader(const fs::path& manifest, const CsvRow& header)
      : manifest_(manifest.string()),
        folder_(manifest.parent_path()),
        columns_(read_header(header, manifest_)),
        fields_(header.fields.size()) {}

  Reason read(Face& face, const CsvRow& row) {
    face.path = fmt::format("{}:{}", manifest_, row.line);
    if (row.fields.size() != fields_)
      return fmt::format("the row has {} fields, the header {}", row.fields.size(), fields_);
    const std::string_view path = field(row, "path");
    if (path.empty()) return "the row names no path";
    const fs::path file = (folder_ / path).lexically_normal();
    face.path = file.string();
    if (Reason reason = read_labels(face, row)) return reason;
    if (Reason reason = check_file(file)) return reason;
    if (!seen_.insert(face.path).second) return "an earlier row names the same picture";
    return std::nullopt;
  }

 private:
  std::string_view field(const CsvRow& row, std::string_view column) const {
    const auto found = columns_.find(column);
    if (found == columns_.end()) return {};
    return trimmed(row.fields[found->second]);
  }

  Reason read_labels(Face& face, const CsvRow& row) const {
    const std::string_view age_text = field(row, "age");
    const auto age = parse_number<double>(age_text);
    if (!age) return fmt::format("age '{}' is not a number", age_text);
    if (Reason reason = check_age(*age, age_text)) return reason;
    face.age = static_cast<float>(*age);

    const auto gender = parse_label(field(row, "gender"), kGenderNames, true);
    if (!gender)
      return fmt::format("gender '{}' is none of 0, 1, m, f, male, female", field(row, "gender"));
    face.gender = *gender;

    const auto race = parse_label(field(row, "race"), kRaceNames, false);
    if (!race)
      return fmt::format("race '{}' is neither 0 to {} nor one of {}", field(row, "race"),
                         kRaces - 1, fmt::join(kRaceNames, ", "));
    face.race = *race;
    face.subject = field(row, "subject");
    return std::nullopt;
  }

  std::string manifest_;
  fs::path folder_;
  Columns columns_;
  std::size_t fields_;
  std::unordered_set<std::string> seen_;
};

void read_manifest(FaceDataset& dataset, const fs::path& path) {
  require(!has_picture_extension(path), "[faces] {} is one picture: {}", path.string(),
          what_is_understood());
  const std::vector<CsvRow> rows = parse_csv(read_text_file(path), path.string());
  require(!rows.empty(), "[faces] {} is empty: {}", path.string(), what_is_understood());
  ManifestReader reader(path, rows.front());
  for (std::size_t i = 1; i < rows.size(); ++i) {
    Face face;
    if (Reason reason = reader.read(face, rows[i])) {
      dataset.skipped.push_back({face.path, *reason});
    } else {
      dataset.faces.push_back(std::move(face));
    }
  }
}

// Says what was found instead of faces, and points to a manifest that lies in the folder.
[[noreturn]] void fail_without_faces(const FaceDataset& dataset, const fs::path& path) {
  std::string found = "nothing was found in it";
  if (!dataset.skipped.empty()) {
    const Skipped& first = dataset.skipped.front();
    found = fmt::format("{} skipped, the first, {}, because: {}", dataset.skipped.size(),
                        first.path, first.reason);
  }
  for (const Skipped& other : dataset.skipped)
    if (dataset.format == "utkface" && lower(fs::path(other.path).extension().string()) == ".csv")
      found += fmt::format("; if {} is a manifest, name it instead of the folder", other.path);
  fail("[faces] no usable face in {} ({}): {}", path.string(), found, what_is_understood());
}

}  // namespace

std::string_view gender_name(std::int32_t gender) {
  return gender < 0 || gender >= kGenders ? "unknown" : kGenderNames[static_cast<unsigned>(gender)];
}

std::string_view race_name(std::int32_t race) {
  return race < 0 || race >= kRaces ? "unknown" : kRaceNames[static_cast<unsigned>(race)];
}

std::string description(const Skipped& skipped) {
  const bool named = skipped.reason.find(skipped.path) != std::string::npos;
  return named ? skipped.reason : skipped.path + ": " + skipped.reason;
}

FaceDataset find_faces(const fs::path& path) {
  std::error_code error;
  require(fs::exists(path, error), "[faces] there is no {}: {}", path.string(),
          what_is_understood());
  FaceDataset dataset;
  if (fs::is_directory(path, error)) {
    dataset.format = "utkface";
    search_folder(dataset, path);
  } else {
    dataset.format = "manifest";
    read_manifest(dataset, path);
  }
  std::ranges::sort(dataset.faces, {}, &Face::path);
  std::ranges::stable_sort(dataset.skipped, {}, &Skipped::path);
  if (dataset.faces.empty()) fail_without_faces(dataset, path);
  return dataset;
}

}  // namespace twinage
