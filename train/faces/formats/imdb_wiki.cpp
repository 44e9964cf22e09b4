#include "train/faces/formats/imdb_wiki.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <map>
#include <vector>

#include "core/error.h"
#include "core/files.h"
#include "train/faces/csv.h"
#include "train/faces/formats/files.h"
#include "train/faces/formats/format.h"

namespace twinage {
namespace fs = std::filesystem;
namespace {

using std::chrono::days;
using std::chrono::sys_days;
using std::chrono::year_month_day;

constexpr int kDatenumOf1970 = 719529;  // datenum(1970, 1, 1)
constexpr int kLastDatenum = 3652424;   // of the year 9999
constexpr std::string_view kNeeded[] = {"full_path", "dob", "photo_taken", "face_score",
                                        "second_face_score"};

// NaN for an empty field, for nan and for what is no number.
double number_of(std::string_view text) {
  text = trimmed(text);
  double value = NAN;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size() ? value : NAN;
}

// 1981-05-31 as a datenum; NaN where that is no day.
double datenum_of(std::string_view text) {
  text = trimmed(text);
  const std::size_t first = text.find('-');
  const std::size_t second = first == text.npos ? text.npos : text.find('-', first + 1);
  if (second == text.npos) return number_of(text);
  const double y = number_of(text.substr(0, first)),
               m = number_of(text.substr(first + 1, second - first - 1)),
               d = number_of(text.substr(second + 1));
  if (!(y >= 0 && y <= 9999 && m >= 1 && m <= 12 && d >= 1 && d <= 31)) return NAN;
  const year_month_day day{std::chrono::year(static_cast<int>(y)),
                           std::chrono::month(static_cast<unsigned>(m)),
                           std::chrono::day(static_cast<unsigned>(d))};
  if (!day.ok()) return NAN;
  return static_cast<double>(sys_days(day).time_since_epoch().count() + kDatenumOf1970);
}

// As the lists have it, or a word, as whoever exported them may have written.
double imdb_gender_of(std::string_view text) {
  const double number = number_of(text);
  if (!std::isnan(number)) return number;
  const std::int32_t gender = gender_of(text);
  return gender < 0 ? NAN : gender == 0 ? 1 : 0;
}

bool is_csv_list(const fs::path& path) {
  const std::vector<std::string> header = header_of(path);
  return std::ranges::all_of(kNeeded, [&](std::string_view column) {
    return std::ranges::find(header, column) != header.end();
  });
}

bool is_mat(const fs::path& path) {
  std::error_code error;
  return fs::is_regular_file(path, error) && lower(path.extension().string()) == ".mat";
}

// The lists in a folder: exported ones, where there are any, instead of those that they are from.
std::vector<fs::path> lists_in(const fs::path& folder) {
  std::vector<fs::path> exported, original;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error); !error && entry != fs::directory_iterator();
       entry.increment(error)) {
    const fs::path& path = entry->path();
    const std::string name = lower(path.filename().string());
    if (name.ends_with(".csv") && is_csv_list(path)) exported.push_back(path);
    if ((name == "imdb.mat" || name == "wiki.mat") && is_mat(path)) original.push_back(path);
  }
  std::ranges::sort(exported);
  std::ranges::sort(original);
  return exported.empty() ? original : exported;
}

bool looks_like(const fs::path& path) {
  std::error_code error;
  if (fs::is_directory(path, error)) return !lists_in(path).empty();
  return is_mat(path) || is_csv_list(path);
}

void read_list(FaceDataset& dataset, const fs::path& list) {
  if (is_mat(list)) {
    read_imdb_wiki_mat(dataset, list);
  } else {
    read_imdb_wiki_csv(dataset, read_text_file(list), list);
  }
}

FaceDataset find(const fs::path& path, const FindOptions& /*ages are computed*/) {
  FaceDataset dataset;
  std::error_code error;
  if (!fs::is_directory(path, error)) {  // other pictures are left alone
    read_list(dataset, path);
    return dataset;
  }
  const std::vector<fs::path> lists = lists_in(path);
  require(!lists.empty(),
          "[faces] {} is not of format imdb-wiki: expected imdb.mat, wiki.mat or a CSV file with "
          "the columns {} in it",
          path.string(), fmt::join(kNeeded, ", "));
  require(lists.size() == 1, "[faces] {} holds {} lists of IMDB-WIKI: name one of them, such as {}",
          path.string(), lists.size(), lists.front().string());
  read_list(dataset, lists.front());
  skip_others(dataset, path, fmt::format("{} does not name it", lists.front().filename().string()));
  return dataset;
}

}  // namespace

Reason read_age_of_photo(float& age, double dob, double photo_taken) {
  if (!(dob >= 1 && dob < kLastDatenum + 1)) return "the date of birth is unknown";
  if (!(photo_taken >= 1 && photo_taken <= 9999)) return "the year of the photograph is unknown";
  const auto birth_day = static_cast<int>(std::floor(dob)) - kDatenumOf1970;
  const year_month_day birth{sys_days(days(birth_day))};
  const auto year = static_cast<int>(photo_taken);
  const bool later = birth.month() > std::chrono::July ||
                     (birth.month() == std::chrono::July && birth.day() > std::chrono::day(1));
  const int years = year - static_cast<int>(birth.year()) - (later ? 1 : 0);
  if (years < 0 || years > static_cast<int>(kMaxAge))
    return fmt::format("the age, from birth to photograph, is outside 0..{:g}", kMaxAge);
  age = static_cast<float>(years);
  return std::nullopt;
}

Reason read_imdb_wiki_row(Face& face, const ImdbWikiRow& row) {
  if (!(row.face_score > -HUGE_VAL)) return "no face was found in it (face_score)";
  if (!std::isnan(row.second_face_score))
    return "more than one face was found in it (second_face_score)";
  if (Reason reason = read_age_of_photo(face.age, row.dob, row.photo_taken)) return reason;
  face.gender = row.gender == 0 ? 1 : row.gender == 1 ? 0 : -1;
  face.subject = is_missing(row.person) ? "" : row.person;
  return std::nullopt;
}

void add_imdb_wiki_row(FaceDataset& dataset, const ImdbWikiRow& row, const fs::path& folder,
                       const std::string& where) {
  Face face;
  const auto reason_of = [&]() -> Reason {
    if (row.full_path.empty()) return "the row names no full_path";
    fs::path file;
    const Reason outside = official_file(file, folder, row.full_path);
    face.path = file.string();
    if (outside) return outside;
    if (Reason reason = read_imdb_wiki_row(face, row)) return reason;
    return check_file(file);
  };
  if (const Reason reason = reason_of()) {
    dataset.skipped.push_back(
        {face.path.empty() ? where : face.path, *reason, face.path.empty() ? "" : where});
    return;
  }
  if (face.gender < 0)
    ++dataset.unknown_genders[std::isnan(row.gender) ? "nan" : fmt::format("{:g}", row.gender)];
  dataset.faces.push_back(std::move(face));
}

void read_imdb_wiki_csv(FaceDataset& dataset, std::string_view text, const fs::path& path) {
  const std::vector<CsvRow> rows = parse_csv(text, path.string(), separator_of(text));
  if (rows.empty()) return;
  std::map<std::string, std::size_t, std::less<>> columns;
  for (std::size_t i = 0; i < rows.front().fields.size(); ++i) {
    const std::string name = lower(trimmed(rows.front().fields[i]));
    require(columns.emplace(name, i).second || name.empty(),
            "[faces] {}: the header names the column '{}' twice", path.string(), name);
  }
  for (const std::string_view column : kNeeded)
    require(columns.contains(column), "[faces] {}: the header lacks the column {}: expected {}",
            path.string(), column, fmt::join(kNeeded, ", "));
  for (std::size_t i = 1; i < rows.size(); ++i) {
    const std::vector<std::string>& fields = rows[i].fields;
    const std::string where = fmt::format("{}:{}", path.string(), rows[i].line);
    if (fields.size() != rows.front().fields.size()) {
      dataset.skipped.push_back({where, fmt::format("the row has {} fields, the header {}",
                                                    fields.size(), rows.front().fields.size())});
      continue;
    }
    const auto field = [&](std::string_view column) -> std::string_view {
      const auto found = columns.find(column);
      return found == columns.end() ? std::string_view() : trimmed(fields[found->second]);
    };
    ImdbWikiRow row;
    row.full_path = field("full_path");
    row.dob = datenum_of(field("dob"));
    row.photo_taken = number_of(field("photo_taken"));
    row.gender = imdb_gender_of(field("gender"));
    row.face_score = number_of(field("face_score"));
    row.second_face_score = number_of(field("second_face_score"));
    row.person = is_missing(field("name")) ? field("celeb_id") : field("name");
    add_imdb_wiki_row(dataset, row, path.parent_path(), where);
  }
}

namespace formats {
FaceFormat imdb_wiki() {
  return {
      "imdb-wiki",
      "a folder with imdb.mat or wiki.mat, or with a CSV file of the same columns (full_path, "
      "dob, photo_taken, gender, face_score, second_face_score, name), or such a list; pictures "
      "with no face or with two are left out",
      "0 female, 1 male (the other way round than elsewhere), nan unknown",
      "races, and persons where it names none",
      looks_like,
      find};
}
}  // namespace formats
}  // namespace twinage
