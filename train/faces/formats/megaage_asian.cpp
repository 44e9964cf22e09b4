#include "train/faces/formats/megaage_asian.h"

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include "core/error.h"
#include "core/files.h"
#include "train/faces/formats/files.h"
#include "train/faces/formats/format.h"

namespace twinage {
namespace fs = std::filesystem;
namespace {

constexpr std::array kParts = {"train", "test"};

// Whether list/ in `root` has a list of this part.
bool lists_part(const fs::path& root, const std::string& part) {
  std::error_code error;
  return fs::is_regular_file(root / "list" / (part + "_name.txt"), error) ||
         fs::is_regular_file(root / "list" / (part + "_age.txt"), error);
}

MegaAgePart part_of(const fs::path& root, const std::string& part) {
  return {root / part, root / "list" / (part + "_name.txt"), root / "list" / (part + "_age.txt")};
}

std::vector<std::string> parts_in(const fs::path& root) {
  std::vector<std::string> parts;
  for (const std::string part : kParts)
    if (lists_part(root, part)) parts.push_back(part);
  return parts;
}

// What a path means: one part that it names itself, or the folder of all.
struct Place {
  fs::path root;
  std::string part;  // empty: the whole set
};
std::optional<Place> place_of(const fs::path& path) {
  std::error_code error;
  if (!fs::is_directory(path, error)) return std::nullopt;
  // "train/", "." and ".." name a folder, too.
  fs::path folder = fs::absolute(path, error).lexically_normal();
  if (!folder.has_filename()) folder = folder.parent_path();
  const std::string name = folder.filename().string();
  if (std::ranges::find(kParts, name) != kParts.end()) {
    const fs::path plain = path.has_filename() ? path : path.parent_path();
    const fs::path root = plain.filename() == name ? plain.parent_path() : path / "..";
    if (lists_part(root.empty() ? "." : root, name)) return Place{root, name};
  }
  if (!parts_in(path).empty()) return Place{path, ""};
  // The published archive unpacks to megaage_asian/megaage_asian.
  std::optional<Place> nested;
  for (fs::directory_iterator entry(path, error); !error && entry != fs::directory_iterator();
       entry.increment(error)) {
    std::error_code status;
    if (!entry->is_directory(status) || parts_in(entry->path()).empty()) continue;
    if (nested) return std::nullopt;  // two sets
    nested = Place{entry->path(), ""};
  }
  return nested;
}

bool looks_like(const fs::path& path) {
  return place_of(path).has_value();
}

void read_part(FaceDataset& dataset, const MegaAgePart& part, AgeRanges ranges) {
  read_megaage_lists(dataset, read_text_file(part.names), read_text_file(part.ages), part, ranges);
  skip_others(dataset, part.folder,
              fmt::format("list/{} does not name it", part.names.filename().string()));
}

// The part that is named. The whole set means the part to train on: the official split keeps the
// other apart, and who wants it says so.
FaceDataset find(const fs::path& path, const FindOptions& options) {
  const auto place = place_of(path);
  require(place.has_value(),
          "[faces] {} is not of format megaage-asian: expected train/ or test/ beside list/ with "
          "train_name.txt and train_age.txt, or test_name.txt and test_age.txt",
          path.string());
  FaceDataset dataset;
  if (!place->part.empty()) {
    read_part(dataset, part_of(place->root, place->part), options.ranges);
    return dataset;
  }
  const std::vector<std::string> parts = parts_in(place->root);
  read_part(dataset, part_of(place->root, parts.front()), options.ranges);
  for (const std::string& part : parts)
    if (part != parts.front())
      skip_others(
          dataset, place->root / part,
          fmt::format("it is of the official part '{}': name that folder to read it", part));
  return dataset;
}

// Without line ends, whichever they are, a byte order mark, and empty lines at the end.
std::vector<std::string_view> lines_of(std::string_view text, const fs::path& path) {
  require(text.find('\0') == text.npos, "[faces] {} is not UTF-8 text: expected a line a picture",
          path.string());
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_of("\r\n"), text.size());
    lines.push_back(trimmed(text.substr(0, end)));
    text.remove_prefix(end);
    text.remove_prefix(text.starts_with("\r\n") ? 2 : text.empty() ? 0 : 1);
  }
  while (!lines.empty() && lines.back().empty()) lines.pop_back();
  return lines;
}

Reason read_line(Face& face, std::string_view name, std::string_view age, const fs::path& folder,
                 AgeRanges ranges) {
  if (name.empty()) return "the line names no picture";
  fs::path file;
  const Reason outside = official_file(file, folder, name);
  face.path = file.string();
  if (outside) return outside;
  if (Reason reason = read_age(face.age, age, ranges)) return reason;
  return check_file(file);
}

}  // namespace

void read_megaage_lists(FaceDataset& dataset, std::string_view names, std::string_view ages,
                        const MegaAgePart& part, AgeRanges ranges) {
  const auto name_lines = lines_of(names, part.names), age_lines = lines_of(ages, part.ages);
  require(name_lines.size() == age_lines.size(),
          "[faces] {} has {} lines and {} has {}: they belong together line by line, and nobody "
          "knows where one is missing; get both again",
          part.names.string(), name_lines.size(), part.ages.string(), age_lines.size());
  for (std::size_t i = 0; i < name_lines.size(); ++i) {
    Face face;
    const std::string where = fmt::format("{}:{}", part.names.string(), i + 1);
    face.path = where;
    if (Reason reason = read_line(face, name_lines[i], age_lines[i], part.folder, ranges)) {
      dataset.skipped.push_back({face.path, *reason, face.path == where ? "" : where});
    } else {
      dataset.faces.push_back(std::move(face));
    }
  }
}

namespace formats {
FaceFormat megaage_asian() {
  return {"megaage-asian",
          "a folder train/ or test/ beside list/ with train_name.txt and train_age.txt (test_...), "
          "or the folder of all three, which means train/",
          "none",
          "genders, races, persons",
          looks_like,
          find};
}
}  // namespace formats
}  // namespace twinage
