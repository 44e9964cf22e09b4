// A training step as the trainer makes it (train/training_step.h), on faces of noise.
#pragma once
#include <cmath>
#include <string>

#include "core/error.h"
#include "core/random.h"
#include "layers/initialize.h"
#include "train/settings/config.h"
#include "train/training_step.h"

namespace twinage::bench {

// A batch as the loader makes it.
inline Batch batch_of_noise(const Preset& preset, Index faces) {
  Batch batch;
  Random random(4);
  for (Index i = 0; i < faces * preset.load * preset.load * 3; ++i)
    batch.pixels.push_back(static_cast<std::uint8_t>(random.bits() & 0xFF));
  for (Index i = 0; i < faces; ++i) {
    batch.variations.push_back(
        draw_variation(TrainConfig{}.augment, preset.load, preset.input, &random));
    batch.ages.push_back(static_cast<float>(7 * i % 80));
    batch.genders.push_back(static_cast<std::int32_t>(i % 2));
  }
  return batch;
}

inline TwinNetwork initialized(const Preset& preset) {
  TwinNetwork network(preset);
  initialize(network.parameters(), 1);
  return network;
}

// With the default recipe's heads and losses. Planned for training.
struct WholeStep {
  WholeStep(const EngineOptions& options, const std::string& preset_name, Index faces)
      : engine(options),
        network(initialized(preset(preset_name))),
        optimizer(network.place_on(options.device.device), network.parameters(), {}),
        objective({}, faces, network.width(Task::embedding), options.device.device),
        step(engine, network, objective, optimizer, faces),
        batch(batch_of_noise(network.preset(), faces)) {
    step.plan();
    step.send(batch);
  }

  void train() {
    step.begin(batch);
    step.send(batch);  // the next one, which is the same
    require(std::isfinite(step.loss().total), "[benchmark] expected a finite loss");
    step.update(kFactor);
  }
  Shape images() const {
    const Index side = network.preset().input;
    return {static_cast<Index>(batch.ages.size()), side, side, 3};
  }

  static constexpr float kFactor = 1e-3F;  // small: noise has nothing to be learned

  Engine engine;
  TwinNetwork network;
  AdadeltaOptimizer optimizer;
  Objective objective;
  TrainingStep step;
  Batch batch;
};

}  // namespace twinage::bench
