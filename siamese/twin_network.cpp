#include "siamese/twin_network.h"

#include <algorithm>

#include "core/error.h"
#include "kernels/elementwise/elementwise.h"
#include "layers/layers.h"

namespace twinage {
namespace {
constexpr Index kGenders = 2;
}

TwinNetwork::TwinNetwork(const Preset& preset, Index embedding_width)
    : preset_(preset), embedding_width_(embedding_width) {
  Stage stage = tower(preset);
  tower_features_ = stage.channels;
  tower_ = std::move(stage.layer);
  embedding_ = named("embedding", linear(tower_features_, embedding_width));
  gender_ = named("gender", linear(tower_features_, kGenders));
}

ParameterArena& TwinNetwork::place_on(Device device) {
  if (arena_.empty() || arena_.device() != device) arena_.gather(parameters(), device);
  return arena_;
}

void TwinNetwork::plan(const Context& ctx, Index batch, Mode mode) {
  place_on(ctx.device);
  const Shape features = tower_->plan(ctx, {batch, preset_.input, preset_.input, 3}, mode);
  const Shape z = embedding_->plan(ctx, features, mode);
  const Shape logits = gender_->plan(ctx, features, mode);
  features_ = Tensor(features, ctx.device);
  z_ = Tensor(z, ctx.device);
  logits_ = Tensor(logits, ctx.device);
  // In backward every layer finds the gradient with respect to the features below its own scratch.
  workspace_ = std::max({tower_->workspace(), embedding_->workspace(), gender_->workspace()});
  if (mode == Mode::train) workspace_ += workspace_floats(features.size());
}

Index TwinNetwork::workspace() const {
  return workspace_;
}

Index TwinNetwork::activation_bytes() const {
  const Index kept = features_.size() + z_.size() + logits_.size();
  return tower_->activation_bytes() + kept * static_cast<Index>(sizeof(float));
}

double TwinNetwork::flops() const {
  return tower_->flops() + embedding_->flops() + gender_->flops();
}

TwinNetwork::Outputs TwinNetwork::forward(const Context& ctx, ConstView images, Mode mode) {
  tower_->forward(ctx, features_.view(), images, mode);
  embedding_->forward(ctx, z_.view(), features_.view(), mode);
  gender_->forward(ctx, logits_.view(), features_.view(), mode);
  return {std::as_const(z_).view(), std::as_const(logits_).view()};
}

void TwinNetwork::backward(const Context& ctx, ConstView images, ConstView dz, ConstView dgender) {
  WorkspaceScope scratch(ctx.workspace);
  const View dfeatures = scratch.view(features_.shape());
  embedding_->backward(ctx, dfeatures, dz, features_.view(), z_.view(), Write::overwrite);
  gender_->backward(ctx, dfeatures, dgender, features_.view(), logits_.view(), Write::accumulate);
  const View images_need_no_gradient;
  tower_->backward(ctx, images_need_no_gradient, dfeatures, images, features_.view(),
                   Write::overwrite);
}

std::vector<Parameter*> TwinNetwork::parameters() {
  std::vector<Parameter*> all;
  for (Layer* part : {tower_.get(), embedding_.get(), gender_.get()})
    for (Parameter* p : part->parameters()) all.push_back(p);
  return all;
}

void TwinNetwork::zero_gradients(const Context& ctx) {
  fill(ctx, arena_.gradients().view(), 0.0F);
}

}  // namespace twinage
