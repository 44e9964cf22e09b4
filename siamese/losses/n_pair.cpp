// The loss of a whole batch that reads the inner products of its embeddings and not their
// distances: kernels/n_pair/n_pair.h has the formula. Ages are read by distances all the same,
// which agree with products as far as all embeddings are of one length: |x - y|^2 = |x|^2 + |y|^2 -
// 2 x y.
#include "kernels/n_pair/n_pair.h"

#include <algorithm>

#include "core/tensor.h"
#include "kernels/matmul/matmul.h"
#include "siamese/losses/make_losses.h"

namespace twinage {
namespace {

class NPairLoss final : public Loss {
 public:
  explicit NPairLoss(const LossSetup& setup)
      : options_{setup.options.tau},
        width_(setup.width),
        weight_(setup.weight),
        losses_(static_cast<std::size_t>(setup.batch)),
        ages_(vector(setup.batch), setup.device),
        products_(matrix(setup.batch, setup.batch), setup.device),
        slopes_(products_.shape(), setup.device),
        device_losses_(vector(setup.batch), setup.device) {}

  Index workspace(const Context& ctx) const override {
    const Index batch = ages_.size();
    return std::max({n_pair_workspace(ctx, batch), matmul_workspace(ctx, batch, batch, width_),
                     matmul_workspace(ctx, batch, width_, batch)});
  }

  void set_labels(const Labels& labels) override {
    ages_.copy_from(labels.ages.data(), ages_.size());
  }

  void compute(const Context& ctx, View dz, ConstView z) override {
    matmul(ctx, products_.view(), z, Transpose::no, z, Transpose::yes);
    n_pair_loss(ctx, device_losses_.data(), slopes_.view(), products_.view(), ages_.data(), weight_,
                options_);
    matmul(ctx, dz, slopes_.view(), Transpose::no, z, Transpose::no);
  }

  LossValue value() override {
    device_losses_.copy_to(losses_.data(), device_losses_.size());
    LossValue value;
    for (const float loss : losses_) value.loss += static_cast<double>(loss);
    return value;
  }

 private:
  NPair options_;
  Index width_;
  float weight_;
  std::vector<float> losses_;                        // of each anchor, on the host
  Tensor ages_, products_, slopes_, device_losses_;  // on the device
};

}  // namespace

std::unique_ptr<Loss> make_n_pair_loss(const LossSetup& setup) {
  return std::make_unique<NPairLoss>(setup);
}

}  // namespace twinage
