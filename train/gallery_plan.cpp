#include "train/gallery_plan.h"

#include <algorithm>

namespace twinage {
namespace {

constexpr Index kFew = 300;         // faces: enough for a first model
constexpr double kRunsOfAStep = 3;  // of the network, for each face of a batch
constexpr Index kHeldOutPart = 4;   // of all faces, where they are too many
constexpr double kMostRuns = 9e15;  // exact in a double and an Index

// Faces that a read-out can compare with.
Index references_of(const TrainConfig& config, Index training) {
  return has(config.objective.heads, Task::embedding) ? std::min(training, config.gallery_max) : 0;
}

}  // namespace

EmbedOptions GalleryPlan::options() const {
  EmbedOptions options;
  options.mirror = mirror;
  options.zooms = zooms;
  return options;
}

Index GalleryPlan::runs() const {
  return count_looks(options()) * (references + held_out);
}

GalleryPlan first_gallery(const TrainConfig& config, Index training, Index held_out) {
  return {std::min(references_of(config, training), kFew), std::min(held_out, kFew), false, false};
}

GalleryPlan unlimited_gallery(const TrainConfig& config, Index training, Index held_out) {
  return {references_of(config, training), held_out, config.mirror, config.zooms};
}

GalleryPlan full_gallery(const TrainConfig& config, Index training, Index held_out,
                         std::uint64_t steps) {
  const GalleryPlan first = first_gallery(config, training, held_out);
  const double of_training =
      kRunsOfAStep * static_cast<double>(steps) * static_cast<double>(config.batch);
  const auto allowed =
      static_cast<Index>(std::min(config.gallery_share * of_training, kMostRuns)) - first.runs();
  // Without the zooms before without the mirror image: docs/recipes.md has what each is good for.
  GalleryPlan plan = unlimited_gallery(config, training, held_out);
  for (int attempt = 0; attempt < 3; ++attempt) {
    if (attempt == 1) plan.zooms = false;
    if (attempt == 2) plan.mirror = false;
    const Index faces = allowed / count_looks(plan.options());
    if (faces < first.references + first.held_out) continue;
    const Index part = plan.references > 0 ? faces / kHeldOutPart : faces;
    plan.held_out = std::clamp(part, first.held_out, held_out);
    plan.references = std::min(faces - plan.held_out, plan.references);
    return plan;
  }
  return first;
}

std::vector<Index> spread(const std::vector<Index>& indices, Index most) {
  const auto count = static_cast<Index>(indices.size());
  if (count <= most) return indices;
  std::vector<Index> chosen;
  for (Index i = 0; i < most; ++i)
    chosen.push_back(indices[static_cast<std::size_t>(i * count / most)]);
  return chosen;
}

}  // namespace twinage
