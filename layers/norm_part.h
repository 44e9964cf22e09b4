// Batch norm with its parameters, as a part of a layer: what layers that contain one share.
#pragma once
#include <string>
#include <vector>

#include "core/tensor.h"
#include "kernels/batch_norm/batch_norm.h"
#include "layers/description.h"
#include "layers/layer.h"
#include "layers/shard_sums.h"

namespace twinage {

class NormPart {
 public:
  // Parameters NAME.weight, .bias, .running_mean and .running_var.
  NormPart(const std::string& name, Index channels, const BatchNorm& norm);

  // layer: for the message. Throws Error where training has a single pixel to normalise over.
  void plan(const char* layer, const Context& ctx, Shape u, Mode mode);
  Index workspace(const Context& ctx, Shape u) const;  // scratch

  // Training: the batch's statistics, kept from forward to backward. Forward begins with keep(),
  // backward ends with let_go().
  Index kept() const { return mean_.floats() + variance_.floats(); }
  void keep(const Context& ctx) {
    mean_.keep(ctx.workspace);
    variance_.keep(ctx.workspace);
  }
  void let_go(const Context& ctx) {
    variance_.let_go(ctx.workspace);
    mean_.let_go(ctx.workspace);
  }

  // Training: mean and variance of the batch, of u or by whoever else finds them with
  // f(float* mean, float* variance, Shard) for each shard; then the running ones follow, and
  // y = relu(norm(u)).
  void find_statistics(const Context& ctx, ConstView u);
  template <class F>
  void find_statistics_by(const Context& ctx, Shape u, F f) {
    if (!is_cut(ctx)) return f(mean(ctx), variance(ctx), Shard{0, 0, u.n});
    WorkspaceScope scratch(ctx.workspace);
    float* parts = scratch.floats(floats_of_parts(ctx));
    for_shards(ctx, u.n, [&](const Shard& shard) {
      float* part = part_of(parts, shard);
      f(part, part + channels(), shard);
    });
    merge_statistics(ctx, parts, u);
  }
  void update_running(const Context& ctx, Shape u);
  void apply_batch(const Context& ctx, View y, ConstView u) const;
  // du is overwritten and may be dy; the parameters' gradients are accumulated.
  void backward(const Context& ctx, View du, ConstView dy, ConstView u);

  // Inference, from the running statistics: as it is, or folded into the convolution in front.
  void apply_running(const Context& ctx, View y, ConstView u) const;
  void fold(const Context& ctx, float* scale, float* shift) const;

  std::vector<Parameter*> parameters();
  std::vector<const Parameter*> parameters() const;
  void describe(LayerDescription& layer) const;  // adds its options

 private:
  Index channels() const { return gamma_.value.size(); }
  // Two numbers a channel of every shard of the batch, [shard][2][channels].
  Index floats_of_parts(const Context& ctx) const { return ctx.shards->count() * 2 * channels(); }
  float* part_of(float* parts, const Shard& shard) const {
    return parts + shard.index * 2 * channels();
  }
  float* mean(const Context& ctx) const { return mean_.view(ctx.workspace).data; }
  float* variance(const Context& ctx) const { return variance_.view(ctx.workspace).data; }
  void merge_statistics(const Context& ctx, float* parts, Shape u);
  void backward_of_shards(const Context& ctx, View du, ConstView dy, ConstView u);

  BatchNorm norm_;
  Parameter gamma_, beta_, running_mean_, running_variance_;
  Kept mean_, variance_;  // of the last batch, in Mode::train
};

}  // namespace twinage
