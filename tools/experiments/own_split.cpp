#include "tools/experiments/own_split.h"

#include <algorithm>

#include "core/error.h"
#include "core/files.h"
#include "core/parallel.h"
#include "train/faces/copies.h"
#include "train/faces/split.h"

namespace twinage {
namespace {

constexpr std::uint64_t kSeed =
    1;  // of the split: runs of all seeds are measured on the same faces

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + "\"";
}

std::string manifest_of(const FaceDataset& dataset, const std::vector<Index>& chosen) {
  std::string text = "path,age,gender,race,subject\n";
  for (const Index index : chosen) {
    const Face& face = dataset.faces[static_cast<std::size_t>(index)];
    text += fmt::format("{},{},{},{},{}\n",
                        quoted(std::filesystem::absolute(face.path).lexically_normal().string()),
                        face.age, face.gender < 0 ? "" : gender_name(face.gender),
                        face.race < 0 ? "" : quoted(race_name(dataset, face.race)),
                        face.subject.empty() ? "" : quoted(face.subject));
  }
  return text;
}

}  // namespace

void write_own_split(const std::filesystem::path& folder, const CommonOptions& all) {
  FaceDataset dataset = find_faces(all.data, all.age_ranges, all.format);
  read_contents(dataset, hardware_threads());
  merge_copies(dataset);
  const auto measured =
      static_cast<Index>(kMeasuredShare * static_cast<double>(dataset.faces.size()));
  const Split split = split_faces(dataset.faces, std::max<Index>(measured, 2), Random(kSeed));
  write_file_atomically(folder / "train.csv", manifest_of(dataset, split.training));
  write_file_atomically(folder / "val.csv", manifest_of(dataset, split.held_out));
}

}  // namespace twinage
