#include <algorithm>

#include "core/error.h"
#include "kernels/elementwise/elementwise.h"
#include "layers/description.h"
#include "layers/layers.h"
#include "layers/norm_part.h"
#include "layers/planned.h"

namespace twinage {
namespace {

constexpr const char* kName = "bn_relu_conv";

// a = relu(batch_norm(x)), y = conv(a). In a dense block x is all that came before, once more for
// each layer: a is not kept but formed again in backward, from x and the batch's statistics (Pleiss
// et al. 2017, "Memory-Efficient Implementation of DenseNets"), so that memory grows with the
// block's layers and not with their square.
class BnReluConv final : public Layer {
 public:
  BnReluConv(Index in, Index out, KernelSize kernel, Conv2d conv, const NormedConv& options)
      : conv_(conv),
        norm_(options.norm, in, options.batch_norm),
        w_{options.conv + ".weight", Tensor({out, kernel.h, kernel.w, in}),
           Tensor({out, kernel.h, kernel.w, in})} {}

  Shape plan(const Context& ctx, Shape x, Mode mode) override {
    const Shape w = w_.value.shape();
    planned_ = {x, conv2d_shape(x, w, conv_), mode};
    norm_.plan(kName, ctx, x, mode);
    const Index arrays = mode == Mode::train ? 2 : 1;  // a, da
    workspace_ = norm_.kept() + arrays * workspace_floats(x.size()) +
                 std::max(shard_sum_workspace(ctx, w.size()) +
                              most_of_shards(ctx, x,
                                             [&](Shape of_shard) {
                                               return conv2d_workspace(ctx, of_shard, w, conv_);
                                             }),
                          norm_.workspace(ctx, x));
    return planned_.y;
  }
  Index workspace() const override { return workspace_; }
  Index kept() const override { return norm_.kept(); }
  Reads backward_reads() const override { return {.x = true, .y = false}; }
  double flops() const override {
    const Shape w = w_.value.shape();
    return 2.0 * static_cast<double>(planned_.y.size()) * static_cast<double>(w.h * w.w * w.c);
  }

  void forward(const Context& ctx, View y, ConstView x, Mode mode) override {
    planned_.check_forward(kName, y, x, mode);
    WorkspaceScope scratch(ctx.workspace);
    const View a = scratch.view(x.shape);
    if (mode == Mode::train) {
      norm_.keep(ctx);
      norm_.find_statistics(ctx, x);
      norm_.update_running(ctx, x.shape);
      norm_.apply_batch(ctx, a, x);
    } else {
      norm_.apply_running(ctx, a, x);
    }
    for_shards(ctx, x.shape.n, [&](const Shard& s) {
      conv2d_forward(ctx, of(y, s), of(a, s), w_.value.view(), conv_);
    });
  }

  void backward(const Context& ctx, View dx, ConstView dy, ConstView x, ConstView y,
                Write write) override {
    planned_.check_backward(kName, dx, dy, y, x);
    WorkspaceScope scratch(ctx.workspace);
    const View a = scratch.view(x.shape), da = scratch.view(x.shape);
    norm_.apply_batch(ctx, a, x);
    add_sum_of_shards(ctx, w_.grad.view(), x.shape.n, [&](View dw, const Shard& s, Write how) {
      conv2d_backward_filter(ctx, dw, of(dy, s), of(a, s), conv_, how);
    });
    for_shards(ctx, x.shape.n, [&](const Shard& s) {
      conv2d_backward_data(ctx, of(da, s), of(dy, s), w_.value.view(), conv_);
    });
    const bool straight = dx.data != nullptr && write == Write::overwrite;
    norm_.backward(ctx, straight ? dx : da, da, x);
    if (!straight && dx.data != nullptr) add(ctx, dx, da);
    norm_.let_go(ctx);
  }

  std::vector<Parameter*> parameters() override {
    std::vector<Parameter*> all = norm_.parameters();
    all.push_back(&w_);
    return all;
  }

  LayerDescription describe() const override {
    LayerDescription layer{.kind = kName,
                           .name = name(),
                           .options = options_of(w_.value.shape(), conv_),
                           .x = planned_.x,
                           .y = planned_.y,
                           .parameters = norm_.parameters(),
                           .flops = flops(),
                           .activation_bytes = activation_bytes()};
    layer.parameters.push_back(&w_);
    norm_.describe(layer);
    return layer;
  }

 private:
  Conv2d conv_;
  NormPart norm_;
  Parameter w_;
  Planned planned_;
  Index workspace_ = 0;
};

}  // namespace

LayerPtr bn_relu_conv(Index in, Index out, KernelSize kernel, Conv2d conv,
                      const NormedConv& options) {
  return std::make_unique<BnReluConv>(in, out, kernel, conv, options);
}

}  // namespace twinage
