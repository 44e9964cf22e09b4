#include "core/error.h"
#include "kernels/elementwise/elementwise.h"
#include "kernels/relu/relu.h"
#include "layers/description.h"
#include "layers/layers.h"
#include "layers/planned.h"
#include "layers/shard_sums.h"

namespace twinage {
namespace {

constexpr const char* kName = "conv_relu";

class ConvRelu final : public Layer {
 public:
  ConvRelu(Index in, Index out, KernelSize kernel, Conv2d conv)
      : conv_(conv),
        w_{"weight", Tensor({out, kernel.h, kernel.w, in}), Tensor({out, kernel.h, kernel.w, in})},
        b_{"bias", Tensor(vector(out)), Tensor(vector(out))} {
    w_.rectified = true;
  }

  Shape plan(const Context& ctx, Shape x, Mode mode) override {
    const Shape w = w_.value.shape();
    const Shape y = conv2d_shape(x, w, conv_);
    planned_ = {x, y, mode};
    workspace_ = most_of_shards(
        ctx, x, [&](Shape of_shard) { return conv2d_workspace(ctx, of_shard, w, conv_); });
    if (mode == Mode::train)  // du
      workspace_ += workspace_floats(y.size()) + shard_sum_workspace(ctx, w.size());
    return y;
  }

  Index workspace() const override { return workspace_; }
  double flops() const override {
    const Shape w = w_.value.shape();
    return 2.0 * static_cast<double>(planned_.y.size()) * static_cast<double>(w.h * w.w * w.c);
  }

  // y = relu(u), u = conv(x, w) + b: u is not kept, since y > 0 says where it was.
  void forward(const Context& ctx, View y, ConstView x, Mode mode) override {
    planned_.check_forward(kName, y, x, mode);
    ConvEpilogue bias_and_relu;
    bias_and_relu.bias = b_.value.data();
    bias_and_relu.relu = true;
    for_shards(ctx, x.shape.n, [&](const Shard& s) {
      conv2d_forward(ctx, of(y, s), of(x, s), w_.value.view(), conv_, bias_and_relu);
    });
  }

  // du = dy where y > 0,   db += sum of du,   dw and dx are the convolution's.
  void backward(const Context& ctx, View dx, ConstView dy, ConstView x, ConstView y,
                Write write) override {
    planned_.check_backward(kName, dx, dy, y, x);
    WorkspaceScope scratch(ctx.workspace);
    const View du = scratch.view(planned_.y);
    relu_backward(ctx, du, dy, y);
    add_sum_of_pixels(ctx, b_.grad.view(), du);
    add_sum_of_shards(ctx, w_.grad.view(), x.shape.n, [&](View dw, const Shard& s, Write how) {
      conv2d_backward_filter(ctx, dw, of(du, s), of(x, s), conv_, how);
    });
    if (dx.data == nullptr) return;
    for_shards(ctx, x.shape.n, [&](const Shard& s) {
      conv2d_backward_data(ctx, of(dx, s), of(du, s), w_.value.view(), conv_, write);
    });
  }

  std::vector<Parameter*> parameters() override { return {&w_, &b_}; }

  LayerDescription describe() const override {
    return {.kind = kName,
            .name = name(),
            .options = options_of(w_.value.shape(), conv_),
            .x = planned_.x,
            .y = planned_.y,
            .parameters = {&w_, &b_},
            .flops = flops(),
            .activation_bytes = activation_bytes()};
  }

 private:
  Conv2d conv_;
  Parameter w_, b_;
  Planned planned_;
  Index workspace_ = 0;
};

}  // namespace

LayerPtr conv_relu(Index in, Index out, KernelSize kernel, Conv2d conv) {
  return std::make_unique<ConvRelu>(in, out, kernel, conv);
}

}  // namespace twinage
