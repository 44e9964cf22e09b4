// The loss of a head that says which class a face belongs to:
//
//   L = mean over the faces that have a label of -log softmax(logits)[label]
//
// A face without a label takes no part; when none of the batch has one, the loss and its gradient
// are 0.
#include <algorithm>
#include <cmath>

#include "core/array.h"
#include "core/tensor.h"
#include "kernels/elementwise/elementwise.h"
#include "kernels/softmax_cross_entropy/softmax_cross_entropy.h"
#include "siamese/losses/make_losses.h"

namespace twinage {
namespace {

// The class of the face `i` of a batch; below 0: it has none.
using ClassOf = std::int32_t (*)(const Labels&, std::size_t i);

class CrossEntropy final : public Loss {
 public:
  CrossEntropy(ClassOf class_of, const LossSetup& setup)
      : class_of_(class_of),
        weight_(setup.weight),
        classes_(static_cast<std::size_t>(setup.batch)),
        losses_(classes_.size()),
        weights_(classes_.size()),
        device_classes_(classes_.size(), setup.device),
        device_losses_(vector(setup.batch), setup.device),
        device_weights_(vector(setup.batch), setup.device) {}

  void set_labels(const Labels& labels) override {
    for (std::size_t i = 0; i < classes_.size(); ++i) classes_[i] = class_of_(labels, i);
    const auto labelled =
        std::ranges::count_if(classes_, [](std::int32_t label) { return label >= 0; });
    share_ = labelled > 0 ? 1 / static_cast<double>(labelled) : 0;
    std::ranges::fill(weights_, static_cast<float>(static_cast<double>(weight_) * share_));
    device_weights_.copy_from(weights_.data(), device_weights_.size());
    device_classes_.copy_from(classes_);
  }

  // The weight depends on how many of the batch are labelled; as an argument of the kernel it would
  // be that of the batch with which the step was recorded.
  void compute(const Context& ctx, View dlogits, ConstView logits) override {
    softmax_cross_entropy(ctx, device_losses_.data(), dlogits, logits, device_classes_.data(),
                          1.0F);
    scale_rows(ctx, dlogits, dlogits, device_weights_.data());
  }

  LossValue value() override {
    device_losses_.copy_to(losses_.data(), device_losses_.size());
    LossValue value;
    for (const float loss : losses_) value.loss += static_cast<double>(loss) * share_;
    return value;
  }

 private:
  ClassOf class_of_;
  float weight_;
  double share_ = 0;  // 1 / faces with a label, 0 without any
  std::vector<std::int32_t> classes_;
  std::vector<float> losses_, weights_;  // on the host
  Array<std::int32_t> device_classes_;
  Tensor device_losses_, device_weights_;
};

std::int32_t gender_of_face(const Labels& labels, std::size_t i) {
  return labels.genders[i];
}

std::int32_t age_of_face(const Labels& labels, std::size_t i) {
  return std::clamp(static_cast<std::int32_t>(std::lround(labels.ages[i])), 0, kAges - 1);
}

}  // namespace

std::unique_ptr<Loss> make_gender_loss(const LossSetup& setup) {
  return std::make_unique<CrossEntropy>(gender_of_face, setup);
}

std::unique_ptr<Loss> make_age_loss(const LossSetup& setup) {
  return std::make_unique<CrossEntropy>(age_of_face, setup);
}

}  // namespace twinage
