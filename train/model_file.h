// RUN/model.safetensors: all that reading a face needs, in one file: weights, gallery,
// calibration, and the configuration of the run (as metadata).
#pragma once
#include <cstdint>
#include <filesystem>
#include <memory>

#include "siamese/age_readout.h"
#include "siamese/twin_network.h"
#include "train/config.h"

namespace twinage {

struct Model {
  TrainConfig config;
  std::uint64_t step = 0;   // of training, when these weights were reached
  Index gender_labels = 0;  // training faces whose gender was known
  std::unique_ptr<TwinNetwork> network;
  Gallery gallery;
  Calibration calibration;

  // Without a label the gender head stayed as it was drawn.
  bool knows_gender() const { return gender_labels > 0; }
};

void save_model(const std::filesystem::path& path, const TrainConfig& config, std::uint64_t step,
                Index gender_labels, TwinNetwork& network, const Gallery& gallery,
                const Calibration& calibration);

// `path` is a run directory or a model file. Throws Error when it is missing, cut off, or of
// another format.
Model load_model(const std::filesystem::path& path);

}  // namespace twinage
