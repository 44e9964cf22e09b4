#include "train/faces/formats/manifest.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <unordered_map>

#include "core/error.h"
#include "core/files.h"
#include "train/faces/csv.h"
#include "train/faces/formats/files.h"
#include "train/faces/formats/format.h"

namespace twinage {
namespace fs = std::filesystem;
namespace {

// Where each known column stands in a row.
using Columns = std::map<std::string, std::size_t, std::less<>>;

Columns read_header(const CsvRow& header, const std::string& manifest, const Spelling& spelling) {
  Columns columns;
  for (std::size_t i = 0; i < header.fields.size(); ++i) {
    const std::string name = lower(trimmed(header.fields[i]));
    require(columns.emplace(name, i).second || name.empty(),
            "[faces] {}: the header names the column '{}' twice", manifest, name);
  }
  for (const auto& [ours, its] :
       {std::pair("path", spelling.path), {"subject", spelling.subject}, {"age", spelling.age}})
    if (const auto column = columns.find(its); its != ours && column != columns.end())
      columns[ours] = column->second;
  if (const auto file = columns.find("file"); file != columns.end())
    columns.emplace("path", file->second);  // FairFace's; not where there is a path, too
  require(columns.contains("path") && columns.contains("age"),
          "[faces] {}: expected a header with the columns path and age (and optionally gender, "
          "race, subject), separated by commas, semicolons or tabs, got: {}; 'twinage data "
          "--formats' lists the other formats",
          manifest, fmt::join(header.fields, ","));
  return columns;
}

class ManifestReader {
 public:
  ManifestReader(FaceDataset& dataset, const fs::path& manifest, const CsvRow& header,
                 AgeRanges ranges, const Spelling& spelling)
      : dataset_(dataset),
        manifest_(manifest.string()),
        folder_(manifest.parent_path()),
        columns_(read_header(header, manifest_, spelling)),
        fields_(header.fields.size()),
        // A row may leave out what stands behind these two: unknown.
        needed_(std::max(columns_.at("path"), columns_.at("age")) + 1),
        ranges_(ranges),
        spelling_(spelling) {
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
    const std::string_view word = field(row, "path");
    if (word.empty()) return "the row names no path";
    const std::string path = fmt::format("{}{}{}", spelling_.before, word, spelling_.after);
    fs::path file = listed_file(folder_, path);
    if (spelling_.official) {
      const Reason reason = official_file(file, folder_, path);
      face.path = file.string();
      if (reason) return reason;
    }
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
    const std::string_view race_word = field(row, "race"), person = field(row, "subject");
    face.race =
        race(spelling_.race == nullptr ? std::string(race_word) : spelling_.race(race_word));
    face.subject = spelling_.person == nullptr ? std::string(person) : spelling_.person(person);
    return std::nullopt;
  }

  std::string_view field(const CsvRow& row, std::string_view column) const {
    const auto found = columns_.find(column);
    if (found == columns_.end() || found->second >= row.fields.size()) return {};
    return trimmed(row.fields[found->second]);
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
  Spelling spelling_;
  std::unordered_map<std::string, std::int32_t> races_;
};

// By its first line, as the header of a table that names pictures; of other files none is known.
bool looks_like(const fs::path& path) {
  const std::vector<std::string> header = header_of(path);
  return std::ranges::any_of(header, [](auto& name) { return name == "path" || name == "file"; });
}

FaceDataset find(const fs::path& path, const FindOptions& options) {
  std::error_code error;
  require(!fs::is_directory(path, error),
          "[faces] {} is a folder: of format manifest, a CSV file is to be named", path.string());
  FaceDataset dataset;
  read_manifest(dataset, path, options.ranges);
  return dataset;
}

}  // namespace

void read_manifest(FaceDataset& dataset, const fs::path& path, AgeRanges ranges,
                   const Spelling& spelling) {
  read_manifest(dataset, read_text_file(path), path, ranges, spelling);
}

void read_manifest(FaceDataset& dataset, std::string_view text, const fs::path& path,
                   AgeRanges ranges, const Spelling& spelling) {
  const std::vector<CsvRow> rows = parse_csv(text, path.string(), separator_of(text));
  if (rows.empty()) return;
  ManifestReader reader(dataset, path, rows.front(), ranges, spelling);
  for (std::size_t i = 1; i < rows.size(); ++i) reader.read(rows[i]);
}

namespace formats {
FaceFormat manifest() {
  return {"manifest",
          "a CSV file with a header line such as path,age,gender,race,subject (path or file, and "
          "age, are needed)",
          "0, m, male, man, boy; 1, f, female, woman, girl",
          "",
          looks_like,
          find};
}
}  // namespace formats
}  // namespace twinage
