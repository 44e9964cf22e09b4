// One training step on any device: forward, objective, backward; then ADADELTA.
//
// On a GPU the step's kernels are recorded once and replayed (core/cuda_stream.h), and the next
// batch travels to the GPU while the current one is computed.
#pragma once
#include <string>

#include "core/cuda_stream.h"
#include "siamese/objective.h"
#include "siamese/twin_network.h"
#include "train/faces/loader.h"
#include "train/model/engine.h"
#include "train/model/face_input.h"
#include "train/optimizer.h"

namespace twinage {

class TrainingStep {
 public:
  // All must outlive the step. batch: faces a step. seed: of what is random in the network, which
  // is a function of it and of Batch::step.
  TrainingStep(Engine& engine, TwinNetwork& network, Objective& objective,
               AdadeltaOptimizer& optimizer, Index batch, std::uint64_t seed = 0);

  // Plans the network for training: to be called first, and again after it was planned for anything
  // else (a validation).
  void plan();
  // The faces of the coming step. They stay as they are until begin() returns.
  void send(const Batch& batch);
  // Begins forward, objective and backward on the faces sent last, with the labels of this batch.
  // On a GPU it returns before they are done, and the next faces may be sent.
  void begin(const Batch& batch);
  // Waits for the loss. Parameters have not changed yet.
  ObjectiveValue loss();
  // The parameters' update.
  void update(double factor);

  // Why the step runs kernel by kernel on a GPU that could repeat a recording; empty: it does not.
  const std::string& not_recorded() const { return not_recorded_; }

 private:
  void compute();

  Engine& engine_;
  TwinNetwork& network_;
  Objective& objective_;
  AdadeltaOptimizer& optimizer_;
  Index batch_;
  std::uint64_t seed_;
  FaceInput input_;
  CudaGraph graph_;    // device cuda only
  bool warm_ = false;  // a first step runs unrecorded: kernels are loaded then
  std::string not_recorded_;
};

}  // namespace twinage
