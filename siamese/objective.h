// The multi-task objective (Jeong et al. 2018, sections 2.3 and 2.6):
//
//   L = sum over pairs of weight * pair_loss(D, gap)
//       + gender_weight * mean over labelled faces of cross-entropy(gender)
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "core/array.h"
#include "core/context.h"
#include "core/tensor.h"
#include "siamese/pairs.h"
#include "siamese/twin_network.h"

namespace twinage {

struct ObjectiveOptions {
  PairMode pairs = PairMode::all;
  PairLoss pair_loss;
  bool balanced = false;       // see pair_weights
  float gender_weight = 1.0F;  // [ours]
};

struct ObjectiveValue {
  double total = 0, pair = 0, gender = 0;  // total = pair + gender_weight * gender
  double positive_share = 0;               // of pairs that count as the same class
};

// Computes the loss of a batch and the gradients to start backward with. All memory is taken in
// the constructor; batches have `batch` faces.
//
// A face without a gender label (below 0) takes no part in the gender loss; when none of the batch
// has one, that loss and its gradient are 0.
class Objective {
 public:
  Objective(const ObjectiveOptions& options, Index batch, Index embedding_width,
            Device device = Device::cpu);

  // The three parts of evaluating a batch, so that the middle one, which is all the device's work,
  // can be recorded and repeated. The outputs and gradients are on the device; ctx.device must be
  // the constructor's.
  //
  // ages in years [batch]; gender 0 male, 1 female, below 0 absent [batch], on the host.
  void set_labels(std::span<const float> ages, std::span<const std::int32_t> genders);
  void compute(const Context& ctx, const TwinNetwork::Outputs& outputs);
  // Waits for compute().
  ObjectiveValue value();

  ObjectiveValue evaluate(const Context& ctx, const TwinNetwork::Outputs& outputs,
                          std::span<const float> ages, std::span<const std::int32_t> genders) {
    set_labels(ages, genders);
    compute(ctx, outputs);
    return value();
  }
  // d total / d z, matrix(batch, embedding width), and d total / d logits, matrix(batch, 2), of the
  // last compute().
  ConstView dz() const { return dz_.view(); }
  ConstView dgender() const { return dgender_.view(); }

 private:
  ObjectiveOptions options_;
  std::vector<IndexPair> pairs_;
  // On the host: what the labels decide, and what the loss is summed from.
  std::vector<float> gaps_, weights_, losses_, gender_losses_, gender_weights_;
  double gender_share_ = 0;  // 1 / faces with a gender label, 0 without any
  // On the device.
  Array<IndexPair> device_pairs_;
  Array<std::int32_t> device_genders_;
  Tensor distances_, ddistances_, device_gaps_, device_weights_, device_losses_,
      device_gender_losses_, device_gender_weights_;
  Tensor dz_, dgender_;
};

}  // namespace twinage
