#include "train/faces/formats/manifest.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <unordered_map>

#include "core/error.h"
#include "core/files.h"
#include "train/faces/csv.h"

namespace twinage {
namespace fs = std::filesystem;
namespace {

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
          "race, subject), separated by commas, semicolons or tabs, got: {}",
          manifest, fmt::join(header.fields, ","));
  return columns;
}

class ManifestReader {
 public:
  ManifestReader(FaceDataset& dataset, const fs::path& manifest, const CsvRow& header,
                 AgeRanges ranges)
      : dataset_(dataset),
        manifest_(manifest.string()),
        folder_(manifest.parent_path()),
        columns_(read_header(header, manifest_)),
        fields_(header.fields.size()),
        // A row may leave out what stands behind these two: unknown.
        needed_(std::max(columns_.at("path"), columns_.at("age")) + 1),
        ranges_(ranges) {
    for (std::size_t i = 0; i < dataset_.race_names.size(); ++i)
      races_.emplace(lower(dataset_.race_names[i]), static_cast<std::int32_t>(i));
  }

  void read(const CsvRow& row) {
    Face face;
    const std::string where = fmt::format("{}:{}", manifest_, row.line);
    face.path = where;
    if (Reason reason = read_row(face, row)) {
      dataset_.skipped.push_back({face.path, *reason, face.path == where ? "" : where});
    } else {
      dataset_.faces.push_back(std::move(face));
    }
  }

 private:
  Reason read_row(Face& face, const CsvRow& row) {
    if (row.fields.size() > fields_ || row.fields.size() < needed_)
      return fmt::format("the row has {} fields, the header {}", row.fields.size(), fields_);
    const std::string_view path = field(row, "path");
    if (path.empty()) return "the row names no path";
    const fs::path file = path_of(path);
    face.path = file.string();
    const std::string_view age = field(row, "age");
    if (Reason reason = read_age(face.age, age, ranges_)) return reason;
    if (Reason reason = check_file(file)) {
      if (path.starts_with('~')) return "there is no such file: ~ is not understood, write it out";
      std::error_code error;
      if (fs::exists(file, error) || error) return reason;
      return "there is no such file: paths start at the manifest's folder";
    }
    face.gender = gender(field(row, "gender"));
    face.race = race(field(row, "race"));
    face.subject = field(row, "subject");
    return std::nullopt;
  }

  std::string_view field(const CsvRow& row, std::string_view column) const {
    const auto found = columns_.find(column);
    if (found == columns_.end() || found->second >= row.fields.size()) return {};
    return trimmed(row.fields[found->second]);
  }

  // As written; where that is no file, with Windows' \ as /.
  fs::path path_of(std::string_view written) const {
    const fs::path path = (folder_ / written).lexically_normal();
    std::error_code error;
    if (written.find('\\') == written.npos || fs::exists(path, error)) return path;
    std::string slashes(written);
    std::ranges::replace(slashes, '\\', '/');
    const fs::path other = (folder_ / slashes).lexically_normal();
    return fs::exists(other, error) ? other : path;
  }

  std::int32_t gender(std::string_view word) {
    const std::int32_t known = gender_of(word);
    if (known < 0 && columns_.contains("gender")) ++dataset_.unknown_genders[std::string(word)];
    return known;
  }

  // UTKFace's numbers, or any word: the spelling that comes first names it.
  std::int32_t race(std::string_view word) {
    if (is_missing(word)) return -1;
    double number = -1;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
    if (error == std::errc{} && end == word.data() + word.size())
      for (std::int32_t i = 0; i < kRaces; ++i)
        if (number == static_cast<double>(i)) return i;
    const auto next = static_cast<std::int32_t>(dataset_.race_names.size());
    const auto [race, is_new] = races_.emplace(lower(word), next);
    if (is_new) dataset_.race_names.emplace_back(word);
    return race->second;
  }

  FaceDataset& dataset_;
  std::string manifest_;
  fs::path folder_;
  Columns columns_;
  std::size_t fields_, needed_;
  AgeRanges ranges_;
  std::unordered_map<std::string, std::int32_t> races_;
};

}  // namespace

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

void read_manifest(FaceDataset& dataset, const fs::path& path, AgeRanges ranges) {
  read_manifest(dataset, read_text_file(path), path, ranges);
}

void read_manifest(FaceDataset& dataset, std::string_view text, const fs::path& path,
                   AgeRanges ranges) {
  const std::vector<CsvRow> rows = parse_csv(text, path.string(), separator_of(text));
  if (rows.empty()) return;
  ManifestReader reader(dataset, path, rows.front(), ranges);
  for (std::size_t i = 1; i < rows.size(); ++i) reader.read(rows[i]);
}

}  // namespace twinage
