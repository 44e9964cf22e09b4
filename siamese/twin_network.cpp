#include "siamese/twin_network.h"

#include <algorithm>

#include "core/error.h"
#include "kernels/elementwise/elementwise.h"
#include "siamese/objective.h"

namespace twinage {

TwinNetwork::TwinNetwork(const Preset& preset, Index embedding_width, const Heads& heads,
                         double radius)
    : TwinNetwork(preset, heads, head_forms({.heads = heads}, embedding_width), radius) {}

TwinNetwork::TwinNetwork(const Preset& preset, const Heads& heads, const ByTask<HeadForm>& forms,
                         double radius, std::string_view freeze)
    : preset_(preset) {
  require(!heads.empty(), "[twin_network] expected at least one head");
  Stage stage = tower(preset);
  tower_ = std::move(stage.layer);
  tower_->freeze(frozen_parts(*tower_, freeze));
  for (const Task task : heads) {
    const HeadForm& form = forms[task];
    LayerPtr layer = form.layer(stage.channels, form.outputs);
    if (task == Task::embedding && radius > 0) {
      std::vector<LayerPtr> parts;
      parts.push_back(std::move(layer));
      parts.push_back(l2_normalize(radius));
      layer = chain(std::move(parts));
    }
    heads_[task].form = form;
    heads_[task].layer = named(to_string(task), std::move(layer));
  }
}

ParameterArena& TwinNetwork::place_on(Device device) {
  if (arena_.empty() || arena_.device() != device) arena_.gather(parameters(), device);
  return arena_;
}

void TwinNetwork::plan(const Context& ctx, Index batch, Mode mode) {
  // Where nothing is trained, the parameters may stay where they are.
  if (mode == Mode::train || ctx.device != Device::cpu || !arena_.empty()) place_on(ctx.device);
  const Shape features = tower_->plan(ctx, {batch, preset_.input, preset_.input, 3}, mode);
  features_ = Tensor(features, ctx.device);
  workspace_ = tower_->workspace();
  kept_ = tower_->kept();
  for_each_head_from_last([&](Head& head, Task) {
    head.output = Tensor(head.layer->plan(ctx, features, mode), ctx.device);
    workspace_ = std::max(workspace_, kept_ + head.layer->workspace());
    kept_ += head.layer->kept();
  });
  if (mode == Mode::eval) {
    workspace_ += tower_->prepared();
    for_each_head([&](Head& head, Task) { workspace_ += head.layer->prepared(); });
  }
  // In backward every layer finds the gradient with respect to the features below its own scratch.
  if (mode == Mode::train) workspace_ += workspace_floats(features.size());
}

Index TwinNetwork::output_bytes() const {
  std::size_t bytes = features_.bytes();
  for (const Head& head : heads_.all) bytes += head.output.bytes();
  return static_cast<Index>(bytes);
}

Index TwinNetwork::activation_bytes() const {
  return kept_ * static_cast<Index>(sizeof(float)) + output_bytes();
}

double TwinNetwork::flops() const {
  double sum = tower_->flops();
  for (const Head& head : heads_.all) sum += head.layer == nullptr ? 0 : head.layer->flops();
  return sum;
}

LayerDescription TwinNetwork::describe() const {
  LayerDescription heads{
      .kind = "heads", .x = features_.shape(), .y = matrix(features_.shape().n, 0)};
  for (const Head& head : heads_.all) {
    if (head.layer == nullptr) continue;
    heads.parts.push_back(head.layer->describe());
    keep_output(heads.parts.back(), static_cast<Index>(head.output.bytes()));
    heads.y.c += head.output.shape().c;
  }
  LayerDescription network{.kind = "chain", .x = {}, .y = heads.y};
  network.parts.push_back(tower_->describe());
  network.x = network.parts[0].x;
  keep_output(network.parts[0], static_cast<Index>(features_.bytes()));
  network.parts.push_back(std::move(heads));
  return network;
}

void TwinNetwork::prepare(const Context& ctx) {
  require(ctx.workspace != nullptr, "[twin_network] the context has no workspace");
  ctx.workspace->release();
  tower_->prepare(ctx);
  for_each_head([&](Head& head, Task) { head.layer->prepare(ctx); });
  ctx.workspace->hold();
}

void TwinNetwork::begin_step(std::uint64_t seed, std::uint64_t step) {
  tower_->begin_step(seed, step);
}

TwinNetwork::Outputs TwinNetwork::forward(const Context& ctx, ConstView images, Mode mode) {
  if (ctx.workspace != nullptr) ctx.workspace->forget();
  tower_->forward(ctx, features_.view(), images, mode);
  Outputs outputs;
  for_each_head_from_last([&](Head& head, Task task) {
    head.layer->forward(ctx, head.output.view(), features_.view(), mode);
    outputs[task] = head.output.view();
  });
  return outputs;
}

void TwinNetwork::backward(const Context& ctx, ConstView images,
                           const ByTask<ConstView>& gradients) {
  WorkspaceScope scratch(ctx.workspace);
  const View dfeatures = scratch.view(features_.shape());
  Write write = Write::overwrite;  // by the first head; the others add
  for_each_head([&](Head& head, Task task) {
    head.layer->backward(ctx, dfeatures, gradients[task], features_.view(), head.output.view(),
                         write);
    write = Write::accumulate;
  });
  const View images_need_no_gradient;
  tower_->backward(ctx, images_need_no_gradient, dfeatures, images, features_.view(),
                   Write::overwrite);
}

std::vector<Parameter*> TwinNetwork::parameters() {
  std::vector<Parameter*> all = tower_->parameters();
  for_each_head([&](Head& head, Task) {
    for (Parameter* p : head.layer->parameters()) all.push_back(p);
  });
  return all;
}

std::vector<Parameter*> TwinNetwork::tower_parameters() {
  return tower_->parameters();
}

void TwinNetwork::zero_gradients(const Context& ctx) {
  fill(ctx, arena_.gradients().view(), 0.0F);
}

}  // namespace twinage
