#include "train/model/model_file.h"

#include "core/error.h"
#include "train/model/weights.h"

namespace twinage {
namespace {

constexpr const char* kFormat = "twinage-model-1";

// Of a file everything can be wrong; the messages of config.h do not all name it.
TrainConfig config_of(const SafetensorsFile& file) {
  const std::string& text = file.metadata("config");
  const std::string path = file.path().string();
  try {
    TrainConfig config = config_from_toml(text, "metadata 'config'");
    check_settings(config);
    return config;
  } catch (const UsageError& error) {
    fail("[model] {}: {}", path, error.what());
  }
}

}  // namespace

void save_model(const std::filesystem::path& path, const TrainConfig& config, std::uint64_t step,
                Index gender_labels, TwinNetwork& network, const Gallery& gallery,
                const Calibration& calibration, const std::optional<CropRecord>& crop) {
  SafetensorsWriter writer;
  writer.set_metadata("format", kFormat);
  writer.set_metadata("config", to_toml(config, Keys::needed));
  writer.set_metadata("step", fmt::format("{}", step));
  writer.set_metadata("gender_labels", fmt::format("{}", gender_labels));
  if (crop) writer.set_metadata("crop", to_json(*crop));
  save_weights(writer, network.parameters());
  save(writer, gallery, calibration);
  writer.write(path);
}

bool is_model(const SafetensorsFile& file) {
  const auto format = file.metadata().find("format");
  return format != file.metadata().end() && format->second == kFormat;
}

namespace {

SafetensorsFile open_model(const std::filesystem::path& given) {
  namespace fs = std::filesystem;
  const fs::path path = fs::is_directory(given) ? given / kModelFile : given;
  require(fs::exists(path), "[model] {} does not exist: train one with 'twinage train --out {}'",
          path.string(), given.string());
  return SafetensorsFile::open(path);
}

}  // namespace

void record_crop(const std::filesystem::path& run, const CropRecord& crop) {
  const auto file = open_model(run);
  (void)read_model_without_network(file);
  SafetensorsWriter writer;
  for (const auto& [key, value] : file.metadata()) writer.set_metadata(key, value);
  writer.set_metadata("crop", to_json(crop));
  for (const auto& [name, entry] : file.entries()) {
    if (entry.dtype == DType::f32)
      writer.add(name, std::span<const float>(file.floats(name)), entry.shape);
    else if (entry.dtype == DType::f64)
      writer.add(name, std::span<const double>(file.doubles(name)), entry.shape);
    else if (entry.dtype == DType::i64)
      writer.add(name, std::span<const std::int64_t>(file.integers(name)), entry.shape);
    else if (entry.dtype == DType::u8)
      writer.add(name,
                 std::span(reinterpret_cast<const std::uint8_t*>(file.bytes(name).data()),
                           file.bytes(name).size()),
                 entry.shape);
    else
      fail("[model] {}: tensor {} has a type that no model has", file.path().string(), name);
  }
  writer.write(file.path());
}

Model load_model(const std::filesystem::path& given) {
  const auto file = open_model(given);
  Model model = read_model_without_network(file);
  const ObjectiveOptions& objective = model.config.objective;
  model.network = std::make_unique<TwinNetwork>(preset(model.config.preset), objective.heads,
                                                head_forms(objective, model.config.embedding),
                                                model.config.radius);
  load_weights(file, model.network->parameters());
  return model;
}

Model read_model_without_network(const SafetensorsFile& file) {
  const std::filesystem::path& path = file.path();
  const auto format = file.metadata().find("format");
  require(is_model(file), "[model] {} is not a Twinage model (its format is '{}', expected '{}')",
          path.string(), format == file.metadata().end() ? "" : format->second, kFormat);
  Model model;
  model.config = config_of(file);
  model.step = static_cast<std::uint64_t>(file.metadata_number("step"));
  // Older models do not say; they had some.
  model.gender_labels =
      file.metadata().contains("gender_labels") ? file.metadata_number("gender_labels") : 1;
  load(file, model.gallery, model.calibration);
  if (file.metadata().contains("crop"))
    model.crop = crop_record_from_json(file.metadata("crop"), path.string());
  const Index width = model.has(Task::embedding) ? model.config.embedding : 0;
  require(model.gallery.embeddings.shape().c == width,
          "[model] {}: the references' embeddings have {} numbers, those of its network {}",
          path.string(), model.gallery.embeddings.shape().c, width);
  return model;
}

}  // namespace twinage
