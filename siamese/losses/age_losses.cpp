// Losses of an age head that looks at single faces, beside the cross-entropy; kernels/age_loss has
// their formulas. Each is the mean over the batch of its faces' losses: every face has an age.
#include <algorithm>
#include <cmath>

#include "core/array.h"
#include "core/tensor.h"
#include "kernels/age_loss/age_loss.h"
#include "siamese/losses/head_forms.h"
#include "siamese/losses/make_losses.h"

namespace twinage {
namespace {

// Label: what the loss makes of an age.
template <class Label>
class AgeLoss : public Loss {
 public:
  explicit AgeLoss(const LossSetup& setup)
      : weight_(setup.weight / static_cast<float>(setup.batch)),
        labels_(static_cast<std::size_t>(setup.batch)),
        losses_(labels_.size()),
        device_labels_(labels_.size(), setup.device),
        device_losses_(vector(setup.batch), setup.device) {}

  void set_labels(const Labels& labels) final {
    std::ranges::transform(labels.ages, labels_.begin(), [&](float age) { return label_of(age); });
    device_labels_.copy_from(labels_);
  }
  void compute(const Context& ctx, View dy, ConstView y) final {
    of_faces(ctx, device_losses_.data(), dy, y, device_labels_.data(), weight_);
  }
  LossValue value() final {
    device_losses_.copy_to(losses_.data(), device_losses_.size());
    LossValue value;
    for (const float loss : losses_) value.loss += static_cast<double>(loss);
    value.loss /= static_cast<double>(losses_.size());
    return value;
  }

 protected:
  virtual Label label_of(float age) const = 0;
  virtual void of_faces(const Context& ctx, float* losses, View dy, ConstView y,
                        const Label* labels, float weight) = 0;

 private:
  float weight_;               // of a face
  std::vector<Label> labels_;  // on the host
  std::vector<float> losses_;
  Array<Label> device_labels_;
  Tensor device_losses_;
};

class DistributionLoss final : public AgeLoss<float> {
 public:
  DistributionLoss(const AgeDistributionLoss& options, const LossSetup& setup)
      : AgeLoss(setup), options_(options) {}

 private:
  float label_of(float age) const override {
    return std::clamp(age, 0.0F, static_cast<float>(kAges - 1));
  }
  void of_faces(const Context& ctx, float* losses, View dy, ConstView y, const float* ages,
                float weight) override {
    age_distribution_loss(ctx, losses, dy, y, ages, weight, options_);
  }

  AgeDistributionLoss options_;
};

class RankLoss final : public AgeLoss<std::int32_t> {
 public:
  using AgeLoss::AgeLoss;

 private:
  std::int32_t label_of(float age) const override {
    return std::clamp(static_cast<std::int32_t>(std::lround(age)), 0, kAges - 1);
  }
  void of_faces(const Context& ctx, float* losses, View dy, ConstView y, const std::int32_t* ranks,
                float weight) override {
    ordinal_loss(ctx, losses, dy, y, ranks, weight);
  }
};

// The error in decades, of a number that means from + kDecade * number years.
class NumberLoss final : public AgeLoss<float> {
 public:
  NumberLoss(float from, const LossSetup& setup) : AgeLoss(setup), from_(from) {}

 private:
  float label_of(float age) const override { return (age - from_) / kDecade; }
  void of_faces(const Context& ctx, float* losses, View dy, ConstView y, const float* targets,
                float weight) override {
    absolute_error_loss(ctx, losses, dy, y, targets, weight);
  }

  float from_;
};

}  // namespace

std::unique_ptr<Loss> make_label_distribution_loss(const LossSetup& setup) {
  const AgeDistributionLoss options{.sigma = setup.options.age_sigma,
                                    .error = MeanError::absolute,
                                    .error_weight = setup.options.age_error};
  return std::make_unique<DistributionLoss>(options, setup);
}

std::unique_ptr<Loss> make_mean_variance_loss(const LossSetup& setup) {
  const AgeDistributionLoss options{.error = MeanError::half_square,
                                    .error_weight = setup.options.age_mean,
                                    .variance_weight = setup.options.age_variance};
  return std::make_unique<DistributionLoss>(options, setup);
}

std::unique_ptr<Loss> make_ranking_loss(const LossSetup& setup) {
  return std::make_unique<RankLoss>(setup);
}

std::unique_ptr<Loss> make_regression_loss(const LossSetup& setup) {
  return std::make_unique<NumberLoss>(kNumberFrom, setup);
}

std::unique_ptr<Loss> make_stagewise_loss(const LossSetup& setup) {
  return std::make_unique<NumberLoss>(kStagesFrom, setup);
}

}  // namespace twinage
