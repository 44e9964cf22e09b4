#include "siamese/objective.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "kernels/elementwise/elementwise.h"
#include "kernels/softmax_cross_entropy/softmax_cross_entropy.h"

namespace twinage {
namespace {

constexpr Index kGenders = 2;

}  // namespace

Objective::Objective(const ObjectiveOptions& options, Index batch, Index embedding_width,
                     Device device)
    : options_(options),
      pairs_(pairs_of_batch(options.pairs, batch)),
      gaps_(pairs_.size()),
      weights_(pairs_.size()),
      losses_(pairs_.size()),
      gender_losses_(static_cast<std::size_t>(batch)),
      gender_weights_(static_cast<std::size_t>(batch)),
      device_pairs_(pairs_.size(), device),
      device_genders_(static_cast<std::size_t>(batch), device),
      distances_(vector(static_cast<Index>(pairs_.size())), device),
      ddistances_(distances_.shape(), device),
      device_gaps_(distances_.shape(), device),
      device_weights_(distances_.shape(), device),
      device_losses_(distances_.shape(), device),
      device_gender_losses_(vector(batch), device),
      device_gender_weights_(vector(batch), device),
      dz_(matrix(batch, embedding_width), device),
      dgender_(matrix(batch, kGenders), device) {
  device_pairs_.copy_from(pairs_);
  require(options.gender_weight >= 0, "[objective] expected a gender weight >= 0, got {}",
          options.gender_weight);
}

void Objective::set_labels(std::span<const float> ages, std::span<const std::int32_t> genders) {
  const Index batch = dz_.shape().n;
  require(static_cast<Index>(ages.size()) == batch && static_cast<Index>(genders.size()) == batch,
          "[objective] expected {} ages and genders, got {} and {}", batch, ages.size(),
          genders.size());
  for (std::size_t p = 0; p < pairs_.size(); ++p)
    gaps_[p] = std::fabs(ages[static_cast<std::size_t>(pairs_[p].a)] -
                         ages[static_cast<std::size_t>(pairs_[p].b)]);
  pair_weights(weights_, gaps_, options_.pair_loss, options_.balanced);
  device_gaps_.copy_from(gaps_.data(), device_gaps_.size());
  device_weights_.copy_from(weights_.data(), device_weights_.size());

  const auto labelled =
      std::ranges::count_if(genders, [](std::int32_t label) { return label >= 0; });
  gender_share_ = labelled > 0 ? 1 / static_cast<double>(labelled) : 0;
  std::ranges::fill(
      gender_weights_,
      static_cast<float>(static_cast<double>(options_.gender_weight) * gender_share_));
  device_gender_weights_.copy_from(gender_weights_.data(), batch);
  device_genders_.copy_from(genders);
}

void Objective::compute(const Context& ctx, const TwinNetwork::Outputs& outputs) {
  require(outputs.z.shape == dz_.shape() && outputs.gender.shape == dgender_.shape(),
          "[objective] expected z {} and gender {}, got {} and {}", dz_.shape(), dgender_.shape(),
          outputs.z.shape, outputs.gender.shape);
  const ConstView z = outputs.z;
  distance_pairs_forward(ctx, distances_.data(), z, device_pairs_.span());
  pair_loss(ctx, device_losses_.data(), ddistances_.data(), distances_.data(), device_gaps_.data(),
            device_weights_.data(), device_losses_.size(), options_.pair_loss);
  fill(ctx, dz_.view(), 0);
  distance_pairs_backward(ctx, dz_.view(), z, device_pairs_.span(), distances_.data(),
                          ddistances_.data());

  // The weight depends on how many of the batch are labelled; as an argument of the kernel it would
  // be that of the batch with which the step was recorded.
  softmax_cross_entropy(ctx, device_gender_losses_.data(), dgender_.view(), outputs.gender,
                        device_genders_.data(), 1.0F);
  scale_rows(ctx, dgender_.view(), dgender_.view(), device_gender_weights_.data());
}

ObjectiveValue Objective::value() {
  device_losses_.copy_to(losses_.data(), device_losses_.size());
  device_gender_losses_.copy_to(gender_losses_.data(), device_gender_losses_.size());
  ObjectiveValue value;
  Index positive = 0;
  for (std::size_t p = 0; p < pairs_.size(); ++p) {
    value.pair += static_cast<double>(weights_[p]) * static_cast<double>(losses_[p]);
    positive += same_class(options_.pair_loss, gaps_[p]) ? 1 : 0;
  }
  value.positive_share = static_cast<double>(positive) / static_cast<double>(pairs_.size());
  for (const float loss : gender_losses_) value.gender += static_cast<double>(loss) * gender_share_;
  value.total = value.pair + static_cast<double>(options_.gender_weight) * value.gender;
  return value;
}

}  // namespace twinage
