// Losses of a whole batch that read the distance of every two of its faces: the kernels' headers
// have the formulas (kernels/triplet/triplet.h and those that stand beside it here).
#include <functional>
#include <utility>

#include "kernels/lifted/lifted.h"
#include "kernels/log_ratio/log_ratio.h"
#include "kernels/rank_n_contrast/rank_n_contrast.h"
#include "kernels/scale_varying_triplet/scale_varying_triplet.h"
#include "kernels/triplet/triplet.h"
#include "siamese/losses/distance_loss.h"
#include "siamese/losses/make_losses.h"

namespace twinage {
namespace {

// What a kernel is given and what it makes, on the device; see kernels/batch_loss/batch_loss.h.
struct Arguments {
  float *loss, *dd, *figure;
  const float *d, *age;
  Index batch;
  float weight;
};

struct Kernel {
  std::function<void(const Context&, const Arguments&)> compute;
  Index (*workspace)(const Context&, Index batch);
  std::string_view figure_name;  // of figure[1], by its name in the log; empty: there is none
};

class BatchLoss final : public DistanceLoss {
 public:
  BatchLoss(Kernel kernel, const LossSetup& setup)
      : DistanceLoss(PairMode::all, setup),
        kernel_(std::move(kernel)),
        weight_(setup.weight),
        losses_(static_cast<std::size_t>(setup.batch)),
        device_ages_(vector(setup.batch), setup.device),
        device_losses_(vector(setup.batch), setup.device),
        device_figure_(vector(1), setup.device) {}

  Index workspace(const Context& ctx) const override {
    return kernel_.workspace(ctx, device_ages_.size());
  }

  void set_labels(const Labels& labels) override {
    device_ages_.copy_from(labels.ages.data(), device_ages_.size());
  }

  LossValue value() override {
    device_losses_.copy_to(losses_.data(), device_losses_.size());
    LossValue value{0, kernel_.figure_name, 0};
    for (const float loss : losses_) value.loss += static_cast<double>(loss);
    if (kernel_.figure_name.empty()) return value;
    float figure = 0;
    device_figure_.copy_to(&figure, 1);
    value.figure = static_cast<double>(figure);
    return value;
  }

 private:
  void of_distances(const Context& ctx, float* dd, const float* d) override {
    kernel_.compute(ctx, {device_losses_.data(), dd, device_figure_.data(), d, device_ages_.data(),
                          device_ages_.size(), weight_});
  }

  Kernel kernel_;
  float weight_;
  std::vector<float> losses_;  // of each anchor, on the host
  Tensor device_ages_, device_losses_, device_figure_;
};

}  // namespace

std::unique_ptr<Loss> make_triplet_loss(TripletKind kind, const LossSetup& setup) {
  const Triplet options{kind, setup.options.margin, setup.options.tau};
  const auto compute = [options](const Context& ctx, const Arguments& x) {
    triplet_loss(ctx, x.loss, x.dd, x.figure, x.d, x.age, x.batch, x.weight, options);
  };
  return std::make_unique<BatchLoss>(Kernel{compute, triplet_workspace, "active_share"}, setup);
}

std::unique_ptr<Loss> make_scale_varying_triplet_loss(const LossSetup& setup) {
  const ScaleVaryingTriplet options{setup.options.gap_max};
  const auto compute = [options](const Context& ctx, const Arguments& x) {
    scale_varying_triplet_loss(ctx, x.loss, x.dd, x.figure, x.d, x.age, x.batch, x.weight, options);
  };
  return std::make_unique<BatchLoss>(
      Kernel{compute, scale_varying_triplet_workspace, "misordered_share"}, setup);
}

std::unique_ptr<Loss> make_log_ratio_loss(const LossSetup& setup) {
  const LogRatio options{setup.options.gap_min};
  const auto compute = [options](const Context& ctx, const Arguments& x) {
    log_ratio_loss(ctx, x.loss, x.dd, x.d, x.age, x.batch, x.weight, options);
  };
  return std::make_unique<BatchLoss>(Kernel{compute, log_ratio_workspace, ""}, setup);
}

std::unique_ptr<Loss> make_rank_n_contrast_loss(const LossSetup& setup) {
  const RankNContrast options{setup.options.temperature};
  const auto compute = [options](const Context& ctx, const Arguments& x) {
    rank_n_contrast_loss(ctx, x.loss, x.dd, x.d, x.age, x.batch, x.weight, options);
  };
  return std::make_unique<BatchLoss>(Kernel{compute, rank_n_contrast_workspace, ""}, setup);
}

std::unique_ptr<Loss> make_lifted_loss(const LossSetup& setup) {
  const Lifted options{setup.options.margin, setup.options.tau};
  const auto compute = [options](const Context& ctx, const Arguments& x) {
    lifted_loss(ctx, x.loss, x.dd, x.figure, x.d, x.age, x.batch, x.weight, options);
  };
  return std::make_unique<BatchLoss>(Kernel{compute, lifted_workspace, "active_share"}, setup);
}

}  // namespace twinage
