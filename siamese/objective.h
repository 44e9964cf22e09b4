// The multi-task objective (Jeong et al. 2018, sections 2.3 and 2.6):
//
//   L = sum over the network's heads of weight * loss(what the head says, labels)
//
// The paper's has two: a loss of the embedding's distances and one of the gender.
#pragma once
#include <array>
#include <memory>

#include "core/context.h"
#include "core/tensor.h"
#include "siamese/losses/loss.h"
#include "siamese/tasks.h"

namespace twinage {

struct HeadOptions {
  LossName loss{"cross-entropy"};
  float weight = 1;  // [ours]
};

struct ObjectiveOptions {
  Heads heads = kPaperHeads;
  // What stands here of a task that has no head is not used.
  ByTask<HeadOptions> head{{HeadOptions{{"gap-regression"}}}};
  LossOptions loss = {};
};

// What its losses want of each head that there is.
ByTask<HeadForm> head_forms(const ObjectiveOptions& options, Index embedding_width);

struct ObjectiveValue {
  double total = 0;         // the sum of weight * loss
  ByTask<LossValue> heads;  // of a task without a head: 0
};

// Computes the loss of a batch and the gradients to start backward with. All memory is taken in
// the constructor; batches have `batch` faces.
class Objective {
 public:
  // Throws UsageError for a loss that the table of losses.cpp has not, Error for a weight below 0.
  Objective(const ObjectiveOptions& options, Index batch, Index embedding_width,
            Device device = Device::cpu);

  Index workspace(const Context& ctx) const;  // floats that compute() takes

  // The three parts of evaluating a batch, so that the middle one, which is all the device's work,
  // can be recorded and repeated. The outputs and gradients are on the device; ctx.device must be
  // the constructor's.
  void set_labels(const Labels& labels);
  void compute(const Context& ctx, const ByTask<ConstView>& outputs);
  // Waits for compute().
  ObjectiveValue value();

  ObjectiveValue evaluate(const Context& ctx, const ByTask<ConstView>& outputs,
                          const Labels& labels) {
    set_labels(labels);
    compute(ctx, outputs);
    return value();
  }
  // d total / d outputs of the last compute(), of every head.
  ByTask<ConstView> gradients() const;

 private:
  struct Head {
    std::unique_ptr<Loss> loss;
    Tensor gradient;  // on the device
  };
  ObjectiveOptions options_;
  Index batch_;
  ByTask<Head> heads_;
};

}  // namespace twinage
