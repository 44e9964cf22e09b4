#include "layers/norm_part.h"

#include <algorithm>

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
  require(!train || images_of_batch(ctx, u.n) * u.h * u.w >= 2,
          "[{}] expected at least 2 pixels a channel to normalise over, got {}", layer, u);
  for (Kept* statistics : {&mean_, &variance_})
    statistics->plan(train ? vector(u.c) : Shape{0, 0, 0, 0});
}

Index NormPart::workspace(const Context& ctx, Shape u) const {
  const Index kernels = std::max(
      batch_norm_workspace(ctx, u),
      most_of_shards(ctx, u, [&](Shape of_shard) { return batch_norm_workspace(ctx, of_shard); }));
  if (!is_cut(ctx)) return kernels;
  return kernels + workspace_floats(floats_of_parts(ctx)) + shard_sum_workspace(ctx, channels());
}

void NormPart::find_statistics(const Context& ctx, ConstView u) {
  find_statistics_by(ctx, u.shape, [&](float* mean, float* variance, const Shard& shard) {
    batch_norm_statistics(ctx, mean, variance, of(u, shard));
  });
}

void NormPart::merge_statistics(const Context& ctx, float* parts, Shape u) {
  ctx.shards->gather_of_shards(parts, 2 * channels());
  u.n = images_of_batch(ctx, u.n);
  batch_norm_merge(ctx, mean(ctx), variance(ctx), parts, ctx.shards->count(), u);
}

void NormPart::update_running(const Context& ctx, Shape u) {
  batch_norm_update_running(ctx, running_mean_.value.data(), running_variance_.value.data(),
                            mean(ctx), variance(ctx), u.c, images_of_batch(ctx, u.n) * u.h * u.w,
                            norm_);
}

void NormPart::apply_batch(const Context& ctx, View y, ConstView u) const {
  batch_norm_apply(ctx, y, u, mean(ctx), variance(ctx), gamma_.value.data(), beta_.value.data(),
                   norm_);
}

void NormPart::backward(const Context& ctx, View du, ConstView dy, ConstView u) {
  if (is_cut(ctx)) return backward_of_shards(ctx, du, dy, u);
  batch_norm_backward(ctx, du, gamma_.grad.data(), beta_.grad.data(), dy, u, mean(ctx),
                      variance(ctx), gamma_.value.data(), beta_.value.data(), norm_);
}

void NormPart::backward_of_shards(const Context& ctx, View du, ConstView dy, ConstView u) {
  WorkspaceScope scratch(ctx.workspace);
  float* parts = scratch.floats(floats_of_parts(ctx));
  for_shards(ctx, u.shape.n, [&](const Shard& shard) {
    batch_norm_sums(ctx, part_of(parts, shard), of(dy, shard), of(u, shard), mean(ctx),
                    variance(ctx), gamma_.value.data(), beta_.value.data(), norm_);
  });
  // Each process adds what its own shards have: the gradients of all are added up later.
  for (Parameter* p : {&beta_, &gamma_})
    add_sum_of_shards(ctx, p->grad.view(), u.shape.n, [&](View sum, const Shard& shard, Write) {
      const Index offset = p == &gamma_ ? channels() : 0;
      copy(ctx, sum, ConstView(part_of(parts, shard) + offset, sum.shape));
    });
  ctx.shards->gather_of_shards(parts, 2 * channels());
  const Index pixels = images_of_batch(ctx, u.shape.n) * u.shape.h * u.shape.w;
  batch_norm_dx(ctx, du, dy, u, mean(ctx), variance(ctx), gamma_.value.data(), beta_.value.data(),
                parts, ctx.shards->count(), pixels, norm_);
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
