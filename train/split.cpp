#include "train/split.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <numeric>
#include <set>

#include "core/error.h"

namespace twinage {
namespace {

namespace fs = std::filesystem;

constexpr Index kLeastFaces = 2;  // on either side

std::vector<Index> shuffled(Index count, Random random) {
  std::vector<Index> order(static_cast<std::size_t>(count));
  std::iota(order.begin(), order.end(), Index{0});
  for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random.below(i)]);
  return order;
}

// The picture itself, whatever way leads to it.
std::string identity(const Face& face) {
  std::error_code missing;
  const fs::path path = fs::canonical(face.path, missing);
  return missing ? face.path : path.string();
}

}  // namespace

Split split_faces(const std::vector<Face>& faces, Index held_out, Random random) {
  const auto count = static_cast<Index>(faces.size());
  require(count >= held_out + kLeastFaces,
          "[train] {} usable faces are too few to train on: at least {}", count,
          held_out + kLeastFaces);
  const auto subject_of = [&](Index i) -> const std::string& {
    return faces[static_cast<std::size_t>(i)].subject;
  };
  std::map<std::string, std::vector<Index>> faces_of;
  for (Index i = 0; i < count; ++i)
    if (!subject_of(i).empty()) faces_of[subject_of(i)].push_back(i);

  Split split;
  std::vector<bool> taken(faces.size(), false);
  for (const Index i : shuffled(count, random)) {
    if (static_cast<Index>(split.held_out.size()) >= held_out) break;
    if (taken[static_cast<std::size_t>(i)]) continue;
    const std::vector<Index> alone{i};
    for (const Index j : subject_of(i).empty() ? alone : faces_of[subject_of(i)]) {
      taken[static_cast<std::size_t>(j)] = true;
      split.held_out.push_back(j);
    }
  }
  for (Index i = 0; i < count; ++i)
    if (!taken[static_cast<std::size_t>(i)]) split.training.push_back(i);
  std::sort(split.held_out.begin(), split.held_out.end());
  require(static_cast<Index>(split.training.size()) >= kLeastFaces,
          "[train] no faces are left to train on: {} of {} belong to the subjects that are kept "
          "apart to judge by; more subjects are needed",
          split.held_out.size(), count);
  return split;
}

Index remove_common_faces(FaceDataset& dataset, const FaceDataset& others) {
  std::set<std::string> pictures;
  for (const Face& face : others.faces) pictures.insert(identity(face));
  return static_cast<Index>(std::erase_if(
      dataset.faces, [&](const Face& face) { return pictures.contains(identity(face)); }));
}

// FNV-1a, 64 bits.
std::uint64_t fingerprint(const std::vector<Face>& faces) {
  std::uint64_t hash = 0xCBF29CE484222325;
  const auto add = [&](const std::string& text) {
    for (const char c : text + '\0') hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3;
  };
  for (const Face& face : faces) {
    add(fs::path(face.path).filename().string());
    add(fmt::format("{} {}", face.age, face.gender));
  }
  return hash;
}

}  // namespace twinage
