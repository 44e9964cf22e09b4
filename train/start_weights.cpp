#include "train/start_weights.h"

#include <filesystem>
#include <map>
#include <span>

#include "core/error.h"
#include "core/files.h"
#include "train/model/import/published_weights.h"
#include "train/model/model_file.h"
#include "train/model/weights.h"

namespace twinage {
namespace {

namespace fs = std::filesystem;

// Means and deviations of ImageNet's colours, as torchvision and timm have them.
SourceScale source_scale(InputScale scale) {
  if (scale == InputScale::half) return {};
  return {{0.485, 0.456, 0.406}, {0.229, 0.224, 0.225}};
}

// "AuxLogits (10), fc (2)": what stands before the first dot, and how many.
std::string grouped(const std::vector<std::string>& names) {
  std::map<std::string, int> groups;
  for (const std::string& name : names)
    ++groups[name.ends_with(".num_batches_tracked") ? "num_batches_tracked"
                                                    : name.substr(0, name.find('.'))];
  std::string text;
  for (const auto& [group, count] : groups)
    text += fmt::format("{}{} ({})", text.empty() ? "" : ", ", group, count);
  return text.empty() ? "nothing" : text;
}

std::string start_from_run(const TrainConfig& config, TwinNetwork& network, const fs::path& path) {
  const SafetensorsFile file = SafetensorsFile::open(path);
  const TrainConfig theirs = read_model_without_network(file).config;
  if (theirs.preset != config.preset)
    throw UsageError(
        fmt::format("[from] {} is of --preset {}, this run of {}: weights of another tower do not "
                    "fit",
                    path.string(), theirs.preset, config.preset));
  const std::size_t tower = network.tower_parameters().size();
  load_weights(file, network.tower_parameters());
  std::vector<std::string> left;
  std::size_t loaded = tower;
  const std::vector<Parameter*> all = network.parameters();  // the tower's first
  for (Parameter* p : std::span(all).subspan(tower)) {
    const Shape s = p->value.shape();
    const bool alike = file.contains(p->name) &&
                       file.entry(p->name).shape == std::vector<Index>{s.n, s.h, s.w, s.c};
    if (!alike) {
      left.push_back(p->name);
      continue;
    }
    load_tensor(file, p->name, p->value);
    ++loaded;
  }
  return fmt::format("begins with {} tensors of {}; random: {}", loaded, path.string(),
                     grouped(left));
}

}  // namespace

std::string start_from(const TrainConfig& config, TwinNetwork& network) {
  const fs::path given = config.from;
  if (fs::is_directory(given)) {
    require(fs::exists(given / kModelFile),
            "[from] {} holds no {}: name a run that has ended, or a file", given.string(),
            kModelFile);
    return start_from_run(config, network, given / kModelFile);
  }
  const std::unique_ptr<TensorFile> file = TensorFile::open(given);
  if (file->is_model()) return start_from_run(config, network, given);
  if (!network.preset().backbone.starts_with("inception_v3"))
    throw UsageError(
        fmt::format("[from] published weights are read for Inception v3 alone, not for --preset "
                    "{}; another run of "
                    "that preset can be begun with",
                    config.preset));
  const std::vector<Parameter*> tower = network.tower_parameters();
  const ImportedWeights imported = import_tower(*file, tower, source_scale(config.from_input));
  return fmt::format("begins with {} tensors of {}; left out of it: {}", imported.loaded.size(),
                     given.string(), grouped(imported.left_out));
}

}  // namespace twinage
