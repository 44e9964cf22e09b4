// Losses of a whole batch, over its triplets of an anchor, a face of its age class and one of
// another: kernels/triplet/triplet.h has the formulas.
#include "kernels/triplet/triplet.h"

#include "siamese/losses/distance_loss.h"
#include "siamese/losses/make_losses.h"

namespace twinage {
namespace {

class TripletLoss final : public DistanceLoss {
 public:
  TripletLoss(TripletKind kind, const LossSetup& setup)
      : DistanceLoss(PairMode::all, setup),
        options_{kind, setup.options.margin, setup.options.tau},
        weight_(setup.weight),
        losses_(static_cast<std::size_t>(setup.batch)),
        device_ages_(vector(setup.batch), setup.device),
        device_losses_(vector(setup.batch), setup.device),
        device_active_(vector(1), setup.device) {}

  Index workspace(const Context& ctx) const override {
    return triplet_workspace(ctx, device_ages_.size());
  }

  void set_labels(const Labels& labels) override {
    device_ages_.copy_from(labels.ages.data(), device_ages_.size());
  }

  LossValue value() override {
    device_losses_.copy_to(losses_.data(), device_losses_.size());
    float active = 0;
    device_active_.copy_to(&active, 1);
    LossValue value{0, "active_share", static_cast<double>(active)};
    for (const float loss : losses_) value.loss += static_cast<double>(loss);
    return value;
  }

 private:
  void of_distances(const Context& ctx, float* dd, const float* d) override {
    triplet_loss(ctx, device_losses_.data(), dd, device_active_.data(), d, device_ages_.data(),
                 device_ages_.size(), weight_, options_);
  }

  Triplet options_;
  float weight_;
  std::vector<float> losses_;  // of each anchor, on the host
  Tensor device_ages_, device_losses_, device_active_;
};

}  // namespace

std::unique_ptr<Loss> make_triplet_loss(TripletKind kind, const LossSetup& setup) {
  return std::make_unique<TripletLoss>(kind, setup);
}

}  // namespace twinage
