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

constexpr std::array<std::string_view, 2> kParts = {"train", "test"};

fs::path list_of(const fs::path& root, std::string_view part, std::string_view kind) {
  return root / "list" / fmt::format("{}_{}.txt", part, kind);
}

// Whether list/ in `root` has a list of this part.
bool lists_part(const fs::path& root, std::string_view part) {
  std::error_code error;
  return fs::is_regular_file(list_of(root, part, "name"), error) ||
         fs::is_regular_file(list_of(root, part, "age"), error);
}

MegaAgePart part_of(const fs::path& root, const std::string& part) {
  return {root / part, list_of(root, part, "name"), list_of(root, part, "age")};
}

// The published archive unpacks to megaage_asian/megaage_asian.
std::optional<OfficialPlace> place_of(const fs::path& path) {
  return official_place(path, kParts, lists_part);
}

bool looks_like(const fs::path& path) {
  return place_of(path).has_value();
}

void read_part(FaceDataset& dataset, const fs::path& root, const std::string& name,
               AgeRanges ranges) {
  const MegaAgePart part = part_of(root, name);
  const std::size_t before = dataset.faces.size();
  read_megaage_lists(dataset, read_text_file(part.names), read_text_file(part.ages), part, ranges);
  for (std::size_t i = before; i < dataset.faces.size(); ++i) dataset.faces[i].part = name;
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
  const std::vector<std::string> parts = place->part.empty()
                                             ? official_parts(place->root, kParts, lists_part)
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
