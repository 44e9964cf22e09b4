// Losses of pairs: kernels/pair_loss/pair_loss.h has the formulas. Of a list of pairs,
//
//   L = sum over pairs of w * pair_loss(D, gap)
//
// w the same for all of them, or such that pairs of the same class share one half (pair_weights).
#include <cmath>

#include "siamese/losses/distance_loss.h"
#include "siamese/losses/make_losses.h"

namespace twinage {
namespace {

PairLoss pair_loss_of(PairLossKind kind, const LossOptions& o) {
  return {kind, o.margin, o.tau, o.gap_max, o.scale, o.beta};
}

class PairLosses final : public DistanceLoss {
 public:
  PairLosses(PairLossKind kind, const LossSetup& setup)
      : DistanceLoss(setup.options.pairs, setup),
        loss_(pair_loss_of(kind, setup.options)),
        balanced_(setup.options.balanced),
        weight_(setup.weight),
        gaps_(pairs().size()),
        weights_(pairs().size()),
        scaled_weights_(pairs().size()),
        losses_(pairs().size()),
        device_gaps_(vector(static_cast<Index>(pairs().size())), setup.device),
        device_weights_(device_gaps_.shape(), setup.device),
        device_losses_(device_gaps_.shape(), setup.device) {}

  void set_labels(const Labels& labels) override {
    for (std::size_t p = 0; p < gaps_.size(); ++p)
      gaps_[p] = std::fabs(labels.ages[static_cast<std::size_t>(pairs()[p].a)] -
                           labels.ages[static_cast<std::size_t>(pairs()[p].b)]);
    pair_weights(weights_, gaps_, loss_, balanced_);
    for (std::size_t p = 0; p < gaps_.size(); ++p) scaled_weights_[p] = weight_ * weights_[p];
    device_gaps_.copy_from(gaps_.data(), device_gaps_.size());
    device_weights_.copy_from(scaled_weights_.data(), device_weights_.size());
  }

  LossValue value() override {
    device_losses_.copy_to(losses_.data(), device_losses_.size());
    LossValue value;
    Index positive = 0;
    for (std::size_t p = 0; p < losses_.size(); ++p) {
      value.loss += static_cast<double>(weights_[p]) * static_cast<double>(losses_[p]);
      positive += same_class(loss_, gaps_[p]) ? 1 : 0;
    }
    value.figure_name = "positive_share";
    value.figure = static_cast<double>(positive) / static_cast<double>(losses_.size());
    return value;
  }

 private:
  void of_distances(const Context& ctx, float* dd, const float* d) override {
    pair_loss(ctx, device_losses_.data(), dd, d, device_gaps_.data(), device_weights_.data(),
              device_losses_.size(), loss_);
  }

  PairLoss loss_;
  bool balanced_;
  float weight_;
  std::vector<float> gaps_, weights_, scaled_weights_, losses_;  // on the host
  Tensor device_gaps_, device_weights_, device_losses_;
};

}  // namespace

std::unique_ptr<Loss> make_pair_loss(PairLossKind kind, const LossSetup& setup) {
  return std::make_unique<PairLosses>(kind, setup);
}

}  // namespace twinage
