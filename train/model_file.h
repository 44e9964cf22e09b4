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
  std::uint64_t step = 0;  // of training, when these weights were reached
  std::unique_ptr<TwinNetwork> network;
  Gallery gallery;
  Calibration calibration;
};

void save_model(const std::filesystem::path& path, const TrainConfig& config, std::uint64_t step,
                TwinNetwork& network, const Gallery& gallery, const Calibration& calibration);

// `path` is a run directory or a model file. Throws Error when it is missing, cut off, or of
// another format.
Model load_model(const std::filesystem::path& path);

}  // namespace twinage
