// One training step on any device: forward, objective, backward; then ADADELTA.
//
// Several processes take a step together (core/shards.h): each runs the network over its own faces
// of the batch, gets what the network says of all the others', forms the objective of the whole
// batch (a loss of pairs needs both of a pair), goes backward from its own faces' part of the
// gradient, and the parameters' gradients are added up (train/gradient_exchange.h). From there on
// all have the same.
//
// On a GPU the step's kernels are recorded once and replayed (core/cuda_stream.h), and the next
// batch travels to the GPU while the current one is computed.
#pragma once
#include <string>

#include "core/cuda_stream.h"
#include "core/shards.h"
#include "siamese/objective.h"
#include "siamese/twin_network.h"
#include "train/faces/loader.h"
#include "train/gradient_exchange.h"
#include "train/model/engine.h"
#include "train/model/face_input.h"
#include "train/optimizer.h"

namespace twinage {

class TrainingStep {
 public:
  // All must outlive the step. shards: of a batch, and which of its faces this process computes.
  // seed: of what is random in the network, which is a function of it and of Batch::step.
  TrainingStep(Engine& engine, TwinNetwork& network, Objective& objective,
               AdadeltaOptimizer& optimizer, Shards shards, std::uint64_t seed = 0);

  // From now on each process updates a part of the parameters, and has the optimizer's state of
  // these alone; then the parameters are gathered instead of their gradients. The same bits, as
  // many bytes sent. Before the first step. Nothing where this process is alone.
  void share_out_optimizer();
  // Before the state is saved, on all processes: puts the parts together on the first.
  void collect_optimizer();

  // Plans the network for training: to be called first, and again after it was planned for anything
  // else (a validation).
  void plan();
  // The faces of the coming step, of this process. They stay as they are until begin() returns.
  void send(const Batch& batch);
  // Whose faces of a batch this process sends.
  Places places() const { return {shards_.first_image(), shards_.images()}; }
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
  Context context() const;  // the engine's, cut into shards
  ByTask<ConstView> of_whole_batch(const ByTask<ConstView>& mine);
  ByTask<ConstView> of_mine(const ByTask<ConstView>& whole) const;

  Engine& engine_;
  TwinNetwork& network_;
  Objective& objective_;
  AdadeltaOptimizer& optimizer_;
  Shards shards_;
  std::uint64_t seed_;
  FaceInput input_;
  ByTask<Tensor> outputs_;  // of the whole batch; empty where this process has all of it
  GradientExchange exchange_;
  CudaGraph graph_;    // device cuda only
  bool warm_ = false;  // a first step runs unrecorded: kernels are loaded then
  std::string not_recorded_;
};

}  // namespace twinage
