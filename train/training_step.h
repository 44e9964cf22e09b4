// One training step on any device: forward, objective, backward; then ADADELTA.
//
// On a GPU the step's kernels are recorded once and replayed (core/cuda_stream.h), and the next
// batch travels to the GPU while the current one is computed.
#pragma once
#include <memory>
#include <span>
#include <string>

#include "core/cuda_stream.h"
#include "siamese/objective.h"
#include "siamese/twin_network.h"
#include "train/engine.h"
#include "train/optimizer.h"

namespace twinage {

class TrainingStep {
 public:
  // All must outlive the step.
  TrainingStep(Engine& engine, TwinNetwork& network, Objective& objective,
               AdadeltaOptimizer& optimizer, Index batch);
  ~TrainingStep();

  // Images (batch, S, S, 3) of the coming step, on the host. Device cpu reads them in begin(),
  // where they are; another device has its copy when this returns.
  void send(const Tensor& images);
  // Begins forward, objective and backward on the images sent last, with these labels. On a GPU it
  // returns before they are done, and the next images may be sent.
  void begin(std::span<const float> ages, std::span<const std::int32_t> genders);
  // Waits for the loss. Parameters have not changed yet.
  ObjectiveValue loss();
  // The parameters' update.
  void update(double factor);

  // To be called after the network was planned anew: recorded work is forgotten.
  void replanned();
  // Why the step runs kernel by kernel on a GPU that could repeat a recording; empty: it does not.
  const std::string& not_recorded() const { return not_recorded_; }

 private:
  void compute(ConstView images);

  Engine& engine_;
  TwinNetwork& network_;
  Objective& objective_;
  AdadeltaOptimizer& optimizer_;
  Shape shape_;
  const Tensor* host_images_ = nullptr;  // device cpu: those sent last
  Tensor images_;                        // else: of the step; a recording knows this address

  // Device cuda only: pinned memory -> arriving on a stream of its own -> images_.
  struct Upload;
  std::unique_ptr<Upload> upload_;
  CudaGraph graph_;
  bool warm_ = false;  // a first step runs unrecorded: kernels are loaded then
  std::string not_recorded_;
};

}  // namespace twinage
