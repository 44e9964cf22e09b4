// A network in training on any device, step by step: for the tests of whole training steps.
#pragma once
#include <cstdint>
#include <vector>

#include <doctest/doctest.h>

#include "core/random.h"
#include "layers/initialize.h"
#include "train/training_step.h"

namespace twinage::test {

// A narrower `tiny`: every block of the tower, at a size that the host can run thread by thread.
inline const Preset kPreset{"narrow", "inception_v3_compact", 65, 67, 0.1};
inline constexpr Index kBatch = 4, kWidth = 16;

using Values = std::vector<float>;

inline Values to_host(const Tensor& tensor) {
  Values values(static_cast<std::size_t>(tensor.size()));
  tensor.copy_to(values.data(), tensor.size());
  return values;
}

// Two batches of random pictures, with different ages and numbers of known genders: what is
// recorded of one must not stay in the step of the other.
inline std::vector<Batch> two_batches() {
  std::vector<Batch> batches(2);
  batches[0].ages = {3, 24, 26, 71};
  batches[0].genders = {0, 1, -1, 1};
  batches[1].ages = {40, 41, 8, 63};
  batches[1].genders = {-1, 0, -1, 1};
  Random random(8);
  for (Batch& batch : batches) {
    for (Index i = 0; i < kBatch * kPreset.load * kPreset.load * 3; ++i)
      batch.pixels.push_back(static_cast<std::uint8_t>(random.bits() & 0xFF));
    for (Index i = 0; i < kBatch; ++i)
      batch.variations.push_back(
          draw_variation({.rotation = 5, .erase = 0.5F}, kPreset.load, kPreset.input, &random));
  }
  return batches;
}

// A network that trains on these two by turns, the next one on its way while one is computed.
class Run {
 public:
  explicit Run(Device device, const Adadelta& adadelta = {}, const ObjectiveOptions& options = {},
               const Preset& preset = kPreset)
      : batches_(two_batches()),
        engine_({device, 2}),
        network_(preset, options.heads, head_forms(options, kWidth)),
        optimizer_(network_.place_on(device), network_.parameters(), adadelta),
        objective_(options, kBatch, kWidth, device),
        step_(engine_, network_, objective_, optimizer_, kBatch) {
    initialize(network_.parameters(), 7);
    step_.plan();
    step_.send(batch(0));
  }
  ~Run() {
    CHECK(step_.not_recorded() == "");  // on a GPU
  }
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

  double step(float factor = 1.0F) {
    batches_[count_ % 2].step = count_;
    step_.begin(batch(count_));
    step_.send(batch(++count_));
    const double loss = step_.loss().total;
    step_.update(static_cast<double>(factor));
    return loss;
  }

  // As a validation does between two steps: scratch memory moves.
  void plan_something_else() {
    engine_.plan(network_, 5 * kBatch, Mode::eval);
    step_.plan();
  }

  std::vector<Parameter*> parameters() { return network_.parameters(); }

 private:
  const Batch& batch(std::size_t step) const { return batches_[step % 2]; }

  std::vector<Batch> batches_;
  std::size_t count_ = 0;
  Engine engine_;
  TwinNetwork network_;
  AdadeltaOptimizer optimizer_;
  Objective objective_;
  TrainingStep step_;
};

}  // namespace twinage::test
