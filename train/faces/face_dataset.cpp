#include "train/faces/face_dataset.h"

#include <algorithm>
#include <array>

#include "core/error.h"
#include "train/faces/copies.h"
#include "train/faces/formats/files.h"
#include "train/faces/formats/format.h"
#include "train/faces/pictures/image.h"

namespace twinage {
namespace fs = std::filesystem;
namespace {

constexpr std::array<std::string_view, kGenders> kGenderNames = {"male", "female"};

}  // namespace

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

std::vector<std::string> lacking(const FaceDataset& dataset) {
  const auto nobody = [&](auto known) { return std::ranges::none_of(dataset.faces, known); };
  std::vector<std::string> labels;
  if (nobody([](const Face& face) { return face.gender >= 0; })) labels.emplace_back("genders");
  if (nobody([](const Face& face) { return face.race >= 0; })) labels.emplace_back("races");
  if (nobody([](const Face& face) { return !face.subject.empty(); }))
    labels.emplace_back("persons");
  return labels;
}

FaceDataset find_faces(const fs::path& path, AgeRanges ranges, std::string_view format,
                       OfficialParts parts) {
  std::error_code error;
  require(fs::exists(path, error), "[faces] there is no {}: {}", path.string(), layouts_text());
  if (!fs::is_directory(path, error)) {
    require(!has_picture_extension(path), "[faces] {} is one picture: {}", path.string(),
            layouts_text());
    require(fs::file_size(path, error) > 0, "[faces] {} is empty: {}", path.string(),
            layouts_text());
  }
  const FaceFormat& chosen = face_format(format, path);
  FaceDataset dataset = chosen.find(path, {ranges, parts});
  dataset.format = chosen.name;
  std::ranges::stable_sort(dataset.faces, {}, &Face::path);
  merge_rows_of_one_file(dataset);
  std::ranges::stable_sort(dataset.skipped, {}, &Skipped::path);
  require(!dataset.faces.empty(), "[faces] no usable face in {}, read as {} ({}): {}",
          path.string(), chosen.name, skipped_text(dataset), layouts_text());
  return dataset;
}

}  // namespace twinage
