#include "train/model_file.h"

#include "core/error.h"
#include "train/run_directory.h"
#include "train/weights.h"

namespace twinage {
namespace {

constexpr const char* kFormat = "twinage-model-1";

}  // namespace

void save_model(const std::filesystem::path& path, const TrainConfig& config, std::uint64_t step,
                Index gender_labels, TwinNetwork& network, const Gallery& gallery,
                const Calibration& calibration) {
  SafetensorsWriter writer;
  writer.set_metadata("format", kFormat);
  writer.set_metadata("config", to_toml(config));
  writer.set_metadata("step", fmt::format("{}", step));
  writer.set_metadata("gender_labels", fmt::format("{}", gender_labels));
  save_weights(writer, network.parameters());
  save(writer, gallery, calibration);
  writer.write(path);
}

Model load_model(const std::filesystem::path& given) {
  namespace fs = std::filesystem;
  const fs::path path = fs::is_directory(given) ? RunDirectory(given).model() : given;
  require(fs::exists(path), "[model] {} does not exist: train one with 'twinage train --out {}'",
          path.string(), given.string());
  const auto file = SafetensorsFile::open(path);
  const auto format = file.metadata().find("format");
  require(format != file.metadata().end() && format->second == kFormat,
          "[model] {} is not a Twinage model (its format is '{}', expected '{}')", path.string(),
          format == file.metadata().end() ? "" : format->second, kFormat);
  Model model;
  model.config = config_from_toml(file.metadata().at("config"), path.string());
  model.step = std::stoull(file.metadata().at("step"));
  const auto labels = file.metadata().find("gender_labels");  // older models: they had some
  model.gender_labels = labels == file.metadata().end() ? 1 : std::stoll(labels->second);
  model.network =
      std::make_unique<TwinNetwork>(preset(model.config.preset), model.config.embedding);
  load_weights(file, model.network->parameters());
  load(file, model.gallery, model.calibration);
  return model;
}

}  // namespace twinage
