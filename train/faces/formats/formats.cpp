#include <algorithm>
#include <array>

#include "core/enum_names.h"
#include "core/error.h"
#include "train/faces/formats/files.h"
#include "train/faces/formats/format.h"
#include "train/faces/pictures/image.h"

namespace twinage {
namespace fs = std::filesystem;

// Each is in the file of its name.
namespace formats {
FaceFormat utkface();
FaceFormat manifest();
FaceFormat morph();
FaceFormat megaage_asian();
FaceFormat afad();
FaceFormat fg_net();
FaceFormat appa_real();
FaceFormat agedb();
FaceFormat all_age_faces();
FaceFormat imdb_wiki();
}  // namespace formats

std::span<const FaceFormat> face_formats() {
  static const std::array kFormats = {
      formats::utkface(),       formats::manifest(), formats::morph(),
      formats::megaage_asian(), formats::afad(),     formats::fg_net(),
      formats::appa_real(),     formats::agedb(),    formats::all_age_faces(),
      formats::imdb_wiki(),
  };
  return kFormats;
}

std::vector<std::string> face_format_names() {
  std::vector<std::string> names = {"auto"};
  for (const FaceFormat& format : face_formats()) names.emplace_back(format.name);
  return names;
}

std::string layouts_text() {
  std::string text = "expected one of: ";
  for (const FaceFormat& format : face_formats())
    text += fmt::format("{}{}: {}", &format == face_formats().data() ? "" : "; ", format.name,
                        format.layout);
  return text + fmt::format(" (pictures are {})", kPictureExtensions);
}

namespace {

const FaceFormat& format_named(std::string_view name) {
  for (const FaceFormat& format : face_formats())
    if (format.name == name) return format;
  fail_unknown_name("format", face_format_names(), name);
}

// What lies in a folder that no format recognises, and the manifest in it that may be meant.
[[noreturn]] void fail_unrecognised(const fs::path& folder) {
  FaceDataset dataset;
  search_folder(dataset, folder,
                [](Face&, std::string_view) -> Reason { return "its name is of no known form"; });
  std::ranges::stable_sort(dataset.skipped, {}, &Skipped::path);
  fail("[faces] no format recognises {}: {}; {}", folder.string(), skipped_text(dataset),
       layouts_text());
}

const FaceFormat& recognised(const fs::path& path) {
  std::vector<std::string> names;
  for (const FaceFormat& format : face_formats())
    if (format.looks_like(path)) names.emplace_back(format.name);
  require(names.size() <= 1,
          "[faces] {} can be read as {}: choose one with --format NAME (data.format of a run)",
          path.string(), listed(names, "and"));
  std::error_code error;
  if (names.empty() && fs::is_directory(path, error)) fail_unrecognised(path);
  return format_named(names.empty() ? "manifest" : names.front());
}

}  // namespace

const FaceFormat& face_format(std::string_view name, const fs::path& path) {
  return name == "auto" ? recognised(path) : format_named(name);
}

}  // namespace twinage
