#include "train/faces/formats/files.h"

#include <algorithm>
#include <unordered_set>

#include "core/error.h"
#include "core/files.h"
#include "train/faces/csv.h"
#include "train/faces/pictures/image.h"

namespace twinage {
namespace fs = std::filesystem;
namespace {

bool is_hidden(const fs::path& path) {
  return path.filename().string().starts_with('.');
}

// Calls visit(path, reason) for all but folders, with no reason, and for folders that are passed
// over, with the reason; ends when it returns false. By hand: a folder that may not be read is no
// exception.
using Visit = std::function<bool(const fs::path& path, const Reason& reason)>;
bool walk(const fs::path& folder, const Visit& visit) {
  std::error_code error;
  fs::directory_iterator entry(folder, error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    const fs::path& path = entry->path();
    std::error_code status;
    Reason reason;
    if (entry->is_directory(status)) {
      if (entry->is_symlink(status)) {
        reason = "it is a link to a folder, which is not followed";
      } else if (is_hidden(path)) {
        reason = "it is a hidden folder (the name starts with a dot)";
      } else {
        if (!walk(path, visit)) return false;
        continue;
      }
    }
    if (!visit(path, reason)) return false;
  }
  if (error) return visit(folder, fmt::format("the folder cannot be read: {}", error.message()));
  return true;
}

Reason read_file(Face& face, const fs::path& path, const ReadName& read) {
  if (is_hidden(path)) return "it is hidden (the name starts with a dot)";
  if (!has_picture_extension(path))
    return fmt::format("it is not a picture ({})", kPictureExtensions);
  if (Reason reason = check_file(path)) return reason;
  return read(face, path.filename().string());
}

bool is_picture(const fs::path& path, const Reason& reason) {
  return !reason && !is_hidden(path) && has_picture_extension(path);
}

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

void require_folder(const fs::path& path, std::string_view format) {
  std::error_code error;
  require(fs::is_directory(path, error), "[faces] {} is no folder, which format {} needs",
          path.string(), format);
}

void search_folder(FaceDataset& dataset, const fs::path& folder, const ReadName& read) {
  walk(folder, [&](const fs::path& path, Reason reason) {
    Face face;
    face.path = path.string();
    if (!reason) reason = read_file(face, path, read);
    if (reason) {
      dataset.skipped.push_back({face.path, *reason});
    } else {
      dataset.faces.push_back(std::move(face));
    }
    return true;
  });
}

bool any_picture(const fs::path& folder, const std::function<bool(std::string_view name)>& named) {
  return any_picture_at(folder,
                        [&](const fs::path& path) { return named(path.filename().string()); });
}

bool any_picture_at(const fs::path& folder, const std::function<bool(const fs::path& path)>& fits) {
  return !walk(folder, [&](const fs::path& path, const Reason& reason) {
    return !(is_picture(path, reason) && fits(path));
  });
}

std::vector<fs::path> files_with(const fs::path& folder, std::string_view extension) {
  std::vector<fs::path> files;
  walk(folder, [&](const fs::path& path, const Reason& reason) {
    if (!reason && !is_hidden(path) && lower(path.extension().string()) == extension)
      files.push_back(path);
    return true;
  });
  std::ranges::sort(files);
  return files;
}

void skip_others(FaceDataset& dataset, const fs::path& folder, const std::string& reason) {
  std::unordered_set<std::string> held;
  for (const Face& face : dataset.faces) held.insert(face.path);
  for (const Skipped& skipped : dataset.skipped) held.insert(skipped.path);
  walk(folder, [&](const fs::path& path, const Reason& passed_over) {
    const std::string name = path.lexically_normal().string();
    if (passed_over) {
      dataset.skipped.push_back({name, *passed_over});
    } else if (is_picture(path, passed_over) && !held.contains(name)) {
      dataset.skipped.push_back({name, reason});
    }
    return true;
  });
}

std::string skipped_text(const FaceDataset& dataset) {
  if (dataset.skipped.empty()) return "nothing was found in it";
  const Skipped& first = dataset.skipped.front();
  std::string text =
      fmt::format("{} skipped, the first, {}{}, because: {}", dataset.skipped.size(), first.path,
                  first.where.empty() ? "" : " (" + first.where + ")", first.reason);
  for (const Skipped& other : dataset.skipped)
    if (other.where.empty() && lower(fs::path(other.path).extension().string()) == ".csv")
      text += fmt::format("; if {} is a manifest, name it instead of the folder", other.path);
  return text;
}

fs::path listed_file(const fs::path& folder, std::string_view written) {
  const fs::path path = (folder / written).lexically_normal();
  std::error_code error;
  if (written.find('\\') == written.npos || fs::exists(path, error)) return path;
  std::string slashes(written);
  std::ranges::replace(slashes, '\\', '/');
  const fs::path other = (folder / slashes).lexically_normal();
  return fs::exists(other, error) ? other : path;
}

Reason official_file(fs::path& file, const fs::path& folder, std::string_view written) {
  std::string slashes(written);
  std::ranges::replace(slashes, '\\', '/');
  const fs::path within = fs::path(slashes).lexically_normal();
  file = listed_file(folder, written);
  if (within.is_absolute() || (!within.empty() && *within.begin() == ".."))
    return "the name leads out of the data set's folder";
  std::error_code error;
  if (fs::exists(file, error)) return std::nullopt;
  std::string extension = lower(file.extension().string());
  for (int upper = 0; upper < 2; ++upper) {
    fs::path other = file;
    if (fs::exists(other.replace_extension(extension), error)) {
      file = other;
      return std::nullopt;
    }
    for (char& c : extension)
      if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return std::nullopt;  // there is none, as check_file will say
}

std::vector<std::string> official_parts(const fs::path& root,
                                        std::span<const std::string_view> parts,
                                        bool (*has_list)(const fs::path&, std::string_view)) {
  std::vector<std::string> found;
  for (const std::string_view part : parts)
    if (has_list(root, part)) found.emplace_back(part);
  return found;
}

std::optional<OfficialPlace> official_place(const fs::path& path,
                                            std::span<const std::string_view> parts,
                                            bool (*has_list)(const fs::path&, std::string_view)) {
  std::error_code error;
  if (!fs::is_directory(path, error)) return std::nullopt;
  // "train/", "." and ".." name a folder, too.
  fs::path folder = fs::absolute(path, error).lexically_normal();
  if (!folder.has_filename()) folder = folder.parent_path();
  const std::string name = folder.filename().string();
  if (std::ranges::find(parts, name) != parts.end()) {
    const fs::path plain = path.has_filename() ? path : path.parent_path();
    fs::path root = plain.filename() == name ? plain.parent_path() : path / "..";
    if (root.empty()) root = ".";
    if (has_list(root, name)) return OfficialPlace{root, name};
  }
  if (!official_parts(path, parts, has_list).empty()) return OfficialPlace{path, ""};
  std::optional<OfficialPlace> nested;
  for (fs::directory_iterator entry(path, error); !error && entry != fs::directory_iterator();
       entry.increment(error)) {
    std::error_code status;
    if (!entry->is_directory(status) || official_parts(entry->path(), parts, has_list).empty())
      continue;
    if (nested) return std::nullopt;  // two sets
    nested = OfficialPlace{entry->path(), ""};
  }
  return nested;
}

std::string_view take_digits(std::string_view& text) {
  const std::size_t end = std::min(text.find_first_not_of("0123456789"), text.size());
  const std::string_view digits = text.substr(0, end);
  text.remove_prefix(end);
  return digits;
}

std::string without_zeros(std::string_view digits) {
  if (digits.empty()) return "";
  return std::string(digits.substr(std::min(digits.find_first_not_of('0'), digits.size() - 1)));
}

std::vector<std::string> header_of(const fs::path& path) {
  constexpr std::size_t kMostBytes = 16384;
  std::error_code error;
  if (!fs::is_regular_file(path, error)) return {};  // a pipe is read once
  std::string text = beginning_of(path, kMostBytes);
  // Whole lines: a quote may be open where the text is cut off.
  const auto begin = text.find_first_not_of("\xEF\xBB\xBF\r\n");
  if (begin == text.npos) return {};
  const char separator = separator_of(text);
  text = text.substr(0, text.find_first_of("\r\n", begin));
  std::vector<std::string> fields;
  try {
    const auto rows = parse_csv(text, path.string(), separator);
    if (!rows.empty())
      for (const std::string& field : rows.front().fields) fields.push_back(lower(trimmed(field)));
  } catch (const Error&) {
    return {};  // no text of comma-separated values
  }
  return fields;
}

}  // namespace twinage
