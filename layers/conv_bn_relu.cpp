#include <algorithm>

#include "core/error.h"
#include "kernels/elementwise/elementwise.h"
#include "layers/description.h"
#include "layers/layers.h"
#include "layers/planned.h"

namespace twinage {
namespace {

constexpr const char* kName = "conv_bn_relu";

Index bytes_of(const Tensor& t) {
  return t.size() * static_cast<Index>(sizeof(float));
}

class ConvBnRelu final : public Layer {
 public:
  ConvBnRelu(Index in, Index out, KernelSize kernel, Conv2d conv)
      : conv_(conv),
        w_{"conv.weight", Tensor({out, kernel.h, kernel.w, in}),
           Tensor({out, kernel.h, kernel.w, in})},
        gamma_{"bn.weight", Tensor(vector(out)), Tensor(vector(out))},
        beta_{"bn.bias", Tensor(vector(out)), Tensor(vector(out))},
        running_mean_{"bn.running_mean", Tensor(vector(out)), {}, false},
        running_variance_{"bn.running_var", Tensor(vector(out)), {}, false} {}

  Shape plan(const Context& ctx, Shape x, Mode mode) override {
    const Shape w = w_.value.shape();
    const Shape y = conv2d_shape(x, w, conv_);
    planned_ = {x, y, mode};
    const bool train = mode == Mode::train;
    require(!train || y.pixels() >= 2,
            "[{}] expected at least 2 pixels a channel to normalise over, got y = {}", kName, y);
    u_ = train ? Tensor(y, ctx.device) : Tensor();
    mean_ = train ? Tensor(vector(y.c), ctx.device) : Tensor();
    variance_ = train ? Tensor(vector(y.c), ctx.device) : Tensor();

    const Index conv_scratch = conv2d_workspace(ctx, x, w, conv_);
    workspace_ =
        train ? workspace_floats(y.size()) + std::max(conv_scratch, batch_norm_workspace(ctx, y))
              : workspace_floats(w.size()) + 2 * workspace_floats(w.n) + conv_scratch;
    return y;
  }

  Index workspace() const override { return workspace_; }
  Index activation_bytes() const override {
    return bytes_of(u_) + bytes_of(mean_) + bytes_of(variance_);
  }
  double flops() const override {
    const Shape w = w_.value.shape();
    return 2.0 * static_cast<double>(planned_.y.size()) * static_cast<double>(w.h * w.w * w.c);
  }

  void forward(const Context& ctx, View y, ConstView x, Mode mode) override {
    planned_.check_forward(kName, y, x, mode);
    if (mode == Mode::train)
      forward_train(ctx, y, x);
    else
      forward_eval(ctx, y, x);
  }

  void backward(const Context& ctx, View dx, ConstView dy, ConstView x, ConstView y,
                Write write) override {
    planned_.check_backward(kName, dx, dy, y, x);
    WorkspaceScope scratch(ctx.workspace);
    const View du = scratch.view(planned_.y);
    batch_norm_backward(ctx, du, gamma_.grad.data(), beta_.grad.data(), dy, u_.view(), mean_.data(),
                        variance_.data(), gamma_.value.data(), beta_.value.data(), norm_);
    conv2d_backward_filter(ctx, w_.grad.view(), du, x, conv_, Write::accumulate);
    if (dx.data != nullptr) conv2d_backward_data(ctx, dx, du, w_.value.view(), conv_, write);
  }

  std::vector<Parameter*> parameters() override {
    return {&w_, &gamma_, &beta_, &running_mean_, &running_variance_};
  }

  LayerDescription describe() const override {
    std::vector<LayerDescription::Option> options = options_of(w_.value.shape(), conv_);
    options.push_back({"epsilon", norm_.epsilon});
    options.push_back({"momentum", norm_.momentum});
    return {.kind = kName,
            .name = name(),
            .options = std::move(options),
            .x = planned_.x,
            .y = planned_.y,
            .parameters = {&w_, &gamma_, &beta_, &running_mean_, &running_variance_},
            .flops = flops(),
            .activation_bytes = activation_bytes()};
  }

 private:
  // u = conv(x), y = relu(batch_norm(u)); u and the batch's statistics stay for backward.
  void forward_train(const Context& ctx, View y, ConstView x) {
    if (conv2d_has_statistics(ctx)) {
      ConvEpilogue statistics;
      statistics.mean = mean_.data();
      statistics.variance = variance_.data();
      conv2d_forward(ctx, u_.view(), x, w_.value.view(), conv_, statistics);
    } else {
      conv2d_forward(ctx, u_.view(), x, w_.value.view(), conv_);
      batch_norm_statistics(ctx, mean_.data(), variance_.data(), u_.view());
    }
    batch_norm_update_running(ctx, running_mean_.value.data(), running_variance_.value.data(),
                              mean_.data(), variance_.data(), y.shape.c, y.shape.pixels(), norm_);
    batch_norm_apply(ctx, y, u_.view(), mean_.data(), variance_.data(), gamma_.value.data(),
                     beta_.value.data(), norm_);
  }

  // y = relu(conv(x, scale * w) + shift). The filter is folded anew each time (about a
  // hundredth of the convolution at batch 8), so that it can never lag behind its parameters.
  void forward_eval(const Context& ctx, View y, ConstView x) {
    WorkspaceScope scratch(ctx.workspace);
    const View folded = scratch.view(w_.value.shape());
    float* scale = scratch.floats(y.shape.c);
    float* shift = scratch.floats(y.shape.c);
    batch_norm_fold(ctx, scale, shift, running_mean_.value.data(), running_variance_.value.data(),
                    gamma_.value.data(), beta_.value.data(), y.shape.c, norm_);
    scale_rows(ctx, folded, w_.value.view(), scale);
    ConvEpilogue bias_and_relu;
    bias_and_relu.bias = shift;
    bias_and_relu.relu = true;
    conv2d_forward(ctx, y, x, folded, conv_, bias_and_relu);
  }

  Conv2d conv_;
  BatchNorm norm_;
  Parameter w_, gamma_, beta_, running_mean_, running_variance_;
  Planned planned_;
  Index workspace_ = 0;
  Tensor u_, mean_, variance_;  // of the last forward in Mode::train
};

}  // namespace

LayerPtr conv_bn_relu(Index in, Index out, KernelSize kernel, Conv2d conv) {
  return std::make_unique<ConvBnRelu>(in, out, kernel, conv);
}

}  // namespace twinage
