#include "layers/norm_part.h"

#include "core/error.h"

namespace twinage {

NormPart::NormPart(const std::string& name, Index channels, const BatchNorm& norm)
    : norm_(norm),
      gamma_{name + ".weight", Tensor(vector(channels)), Tensor(vector(channels))},
      beta_{name + ".bias", Tensor(vector(channels)), Tensor(vector(channels))},
      running_mean_{name + ".running_mean", Tensor(vector(channels)), {}, false},
      running_variance_{name + ".running_var", Tensor(vector(channels)), {}, false} {}

void NormPart::plan(const char* layer, const Context& ctx, Shape u, Mode mode) {
  const bool train = mode == Mode::train;
  require(!train || u.pixels() >= 2,
          "[{}] expected at least 2 pixels a channel to normalise over, got {}", layer, u);
  mean_ = train ? Tensor(vector(u.c), ctx.device) : Tensor();
  variance_ = train ? Tensor(vector(u.c), ctx.device) : Tensor();
}

Index NormPart::activation_bytes() const {
  return static_cast<Index>(mean_.bytes() + variance_.bytes());
}

void NormPart::find_statistics(const Context& ctx, ConstView u) {
  batch_norm_statistics(ctx, mean_.data(), variance_.data(), u);
}

void NormPart::update_running(const Context& ctx, Shape u) {
  batch_norm_update_running(ctx, running_mean_.value.data(), running_variance_.value.data(),
                            mean_.data(), variance_.data(), u.c, u.pixels(), norm_);
}

void NormPart::apply_batch(const Context& ctx, View y, ConstView u) const {
  batch_norm_apply(ctx, y, u, mean_.data(), variance_.data(), gamma_.value.data(),
                   beta_.value.data(), norm_);
}

void NormPart::backward(const Context& ctx, View du, ConstView dy, ConstView u) {
  batch_norm_backward(ctx, du, gamma_.grad.data(), beta_.grad.data(), dy, u, mean_.data(),
                      variance_.data(), gamma_.value.data(), beta_.value.data(), norm_);
}

void NormPart::apply_running(const Context& ctx, View y, ConstView u) const {
  batch_norm_apply(ctx, y, u, running_mean_.value.data(), running_variance_.value.data(),
                   gamma_.value.data(), beta_.value.data(), norm_);
}

void NormPart::fold(const Context& ctx, float* scale, float* shift) const {
  batch_norm_fold(ctx, scale, shift, running_mean_.value.data(), running_variance_.value.data(),
                  gamma_.value.data(), beta_.value.data(), gamma_.value.size(), norm_);
}

std::vector<Parameter*> NormPart::parameters() {
  return {&gamma_, &beta_, &running_mean_, &running_variance_};
}
std::vector<const Parameter*> NormPart::parameters() const {
  return {&gamma_, &beta_, &running_mean_, &running_variance_};
}

void NormPart::describe(LayerDescription& layer) const {
  layer.options.push_back({"epsilon", norm_.epsilon});
  layer.options.push_back({"momentum", norm_.momentum});
}

}  // namespace twinage
