// RUN/model.safetensors: all that reading a face needs, in one file: weights, gallery,
// calibration, and the configuration of the run (as metadata).
#pragma once
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>

#include "siamese/readouts/age_readout.h"
#include "siamese/twin_network.h"
#include "train/faces/photo/crop_record.h"
#include "train/settings/config.h"

namespace twinage {

// In a run directory.
inline constexpr const char* kModelFile = "model.safetensors";

struct Model {
  TrainConfig config;
  std::uint64_t step = 0;   // of training, when these weights were reached
  Index gender_labels = 0;  // training faces whose gender was known; 0 where all had the same
  std::unique_ptr<TwinNetwork> network;
  Gallery gallery;
  Calibration calibration;
  std::optional<CropRecord> crop;  // of the faces it was trained on, where known

  bool has(Task task) const { return twinage::has(config.objective.heads, task); }
  // Without a label the gender head stayed as it was drawn, and of one gender alone it learnt to
  // say that one: what it says then means nothing.
  bool knows_gender() const { return has(Task::gender) && gender_labels > 0; }
};

void save_model(const std::filesystem::path& path, const TrainConfig& config, std::uint64_t step,
                Index gender_labels, TwinNetwork& network, const Gallery& gallery,
                const Calibration& calibration,
                const std::optional<CropRecord>& crop = std::nullopt);

// Writes the crop of the training faces into a model that there is; all else in it stays. Throws
// Error; the old file is then as it was.
void record_crop(const std::filesystem::path& run, const CropRecord& crop);

// `path` is a run directory or a model file. Throws Error naming the file and what is wrong in it:
// it is missing, cut off, damaged or of another format, lacks a part, holds weights that are not
// finite, its configuration makes no sense, or its references do not suit its network.
Model load_model(const std::filesystem::path& path);

// Whether a file says that it is one.
bool is_model(const SafetensorsFile& file);

// All of it but the network, which stays empty: what can be told without its weights. Throws Error.
Model read_model_without_network(const SafetensorsFile& file);

}  // namespace twinage
