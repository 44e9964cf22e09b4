#include <algorithm>

#include "kernels/depthwise_conv2d/depthwise_conv2d.h"
#include "kernels/elementwise/elementwise.h"
#include "kernels/tanh/tanh.h"
#include "layers/description.h"
#include "layers/layers.h"
#include "layers/norm_part.h"
#include "layers/planned.h"

namespace twinage {
namespace {

enum class Activation { relu, tanh };

// The two convolutions, for one layer around them.
struct FullConvolution {
  static constexpr auto shape = conv2d_shape;
  static constexpr auto workspace = conv2d_workspace;
  static constexpr auto forward = conv2d_forward;
  static constexpr auto backward_data = conv2d_backward_data;
  static constexpr auto backward_filter = conv2d_backward_filter;
  static bool has_statistics(const Context& ctx) { return conv2d_has_statistics(ctx); }
  static constexpr bool packs = true;  // filters, and knows bf16 views
};
struct DepthwiseConvolution {
  static constexpr auto shape = depthwise_conv2d_shape;
  static constexpr auto workspace = depthwise_conv2d_workspace;
  static constexpr auto forward = depthwise_conv2d_forward;
  static constexpr auto backward_data = depthwise_conv2d_backward_data;
  static constexpr auto backward_filter = depthwise_conv2d_backward_filter;
  static bool has_statistics(const Context&) { return false; }
  static constexpr bool packs = false;
};

BatchNorm norm_of(const NormedConv& options, Activation activation) {
  BatchNorm norm = options.batch_norm;
  norm.relu = activation == Activation::relu;  // which the norm's kernels do on the way
  return norm;
}

template <class Convolution>
class ConvBnActivation final : public Layer {
 public:
  ConvBnActivation(const char* kind, Shape w, Conv2d conv, const NormedConv& options,
                   Activation activation = Activation::relu)
      : kind_(kind),
        activation_(activation),
        conv_(conv),
        w_{options.conv + ".weight", Tensor(w), Tensor(w)},
        norm_(options.norm, w.n, norm_of(options, activation)) {}

  Shape plan(const Context& ctx, Shape x, Mode mode) override {
    const Shape w = w_.value.shape();
    const Shape y = Convolution::shape(x, w, conv_);
    planned_ = {x, y, mode};
    const bool train = mode == Mode::train;
    norm_.plan(kind_, ctx, y, mode);
    u_.plan(train ? y : Shape{0, 0, 0, 0});
    plan_prepared(ctx, train);

    const Index conv_scratch = most_of_shards(
        ctx, x, [&](Shape of_shard) { return Convolution::workspace(ctx, of_shard, w, conv_); });
    const Index norm_scratch = norm_.workspace(ctx, y);
    // Statistics are formed by the convolution where it can, beside those of the other shards.
    const Index both = is_cut(ctx) ? conv_scratch + norm_scratch : norm_scratch;
    workspace_ = train ? kept() + workspace_floats(y.size()) +
                             std::max(conv_scratch + shard_sum_workspace(ctx, w.size()), both)
                       : workspace_floats(w.size()) + 2 * workspace_floats(w.n) + conv_scratch;
    return y;
  }

  Index workspace() const override { return workspace_; }
  Index kept() const override { return u_.floats() + norm_.kept(); }
  Index prepared() const override { return filters_.floats() + shift_.floats(); }
  Bf16Views bf16_views() const override {
    const auto even = [](Shape s) { return s.c % 2 == 0; };
    return {bf16_ && even(planned_.x), bf16_ && even(planned_.y)};
  }
  double flops() const override {
    const Shape w = w_.value.shape();
    return 2.0 * static_cast<double>(planned_.y.size()) * static_cast<double>(w.h * w.w * w.c);
  }

  // The mask of ReLU comes from u.
  Reads backward_reads() const override {
    return {.x = true, .y = activation_ == Activation::tanh};
  }
  Remake remake_from() const override { return Remake::from_kept; }
  void remake(const Context& ctx, View y, ConstView) override { activate(ctx, y); }

  void forward(const Context& ctx, View y, ConstView x, Mode mode) override {
    planned_.check_forward(kind_, y, x, mode, bf16_views());
    if (mode == Mode::train)
      forward_train(ctx, y, x);
    else
      forward_eval(ctx, y, x);
  }

  void backward(const Context& ctx, View dx, ConstView dy, ConstView x, ConstView y,
                Write write) override {
    planned_.check_backward(kind_, dx, dy, y, x);
    WorkspaceScope scratch(ctx.workspace);
    const View du = scratch.view(planned_.y);
    ConstView dnorm = dy;
    if (activation_ == Activation::tanh) {
      tanh_backward(ctx, du, dy, y);
      dnorm = du;
    }
    norm_.backward(ctx, du, dnorm, u_.view(ctx.workspace));
    add_sum_of_shards(ctx, w_.grad.view(), x.shape.n, [&](View dw, const Shard& s, Write how) {
      Convolution::backward_filter(ctx, dw, of(du, s), of(x, s), conv_, how);
    });
    if (dx.data != nullptr)
      for_shards(ctx, x.shape.n, [&](const Shard& s) {
        Convolution::backward_data(ctx, of(dx, s), of(du, s), w_.value.view(), conv_, write);
      });
    u_.let_go(ctx.workspace);
    norm_.let_go(ctx);
  }

  void prepare(const Context& ctx) override {
    const View filters = filters_.keep(ctx.workspace), shift = shift_.keep(ctx.workspace);
    if (packed_floats_ == 0) {
      fold(ctx, filters, shift.data);
    } else if constexpr (Convolution::packs) {
      WorkspaceScope scratch(ctx.workspace);
      const View folded = scratch.view(w_.value.shape());
      fold(ctx, folded, shift.data);
      conv2d_pack(ctx, filters.data, planned_.x, folded, conv_);
    }
    is_prepared_ = true;
    prepared_math_ = ctx.math;
  }

  std::vector<Parameter*> parameters() override {
    std::vector<Parameter*> all = norm_.parameters();
    all.insert(all.begin(), &w_);
    return all;
  }

  LayerDescription describe() const override {
    LayerDescription layer{.kind = kind_,
                           .name = name(),
                           .options = options_of(w_.value.shape(), conv_),
                           .x = planned_.x,
                           .y = planned_.y,
                           .parameters = norm_.parameters(),
                           .flops = flops(),
                           .activation_bytes = activation_bytes()};
    layer.parameters.insert(layer.parameters.begin(), &w_);
    norm_.describe(layer);
    return layer;
  }

 private:
  // u = conv(x), y = activation(batch_norm(u)); u and the batch's statistics stay for backward, y
  // is made again of them.
  void forward_train(const Context& ctx, View y, ConstView x) {
    norm_.keep(ctx);
    const View u = u_.keep(ctx.workspace);
    const auto convolve = [&](const Shard& s, const ConvEpilogue& statistics) {
      Convolution::forward(ctx, of(u, s), of(x, s), w_.value.view(), conv_, statistics);
    };
    if (Convolution::has_statistics(ctx)) {
      norm_.find_statistics_by(ctx, y.shape, [&](float* mean, float* variance, const Shard& s) {
        ConvEpilogue statistics;
        statistics.mean = mean;
        statistics.variance = variance;
        convolve(s, statistics);
      });
    } else {
      for_shards(ctx, x.shape.n, [&](const Shard& s) { convolve(s, {}); });
      norm_.find_statistics(ctx, u);
    }
    norm_.update_running(ctx, y.shape);
    activate(ctx, y);
  }

  void activate(const Context& ctx, View y) {
    norm_.apply_batch(ctx, y, u_.view(ctx.workspace));
    if (activation_ == Activation::tanh) tanh_forward(ctx, y, y);
  }

  void plan_prepared(const Context& ctx, bool train) {
    const Shape w = w_.value.shape(), nothing{0, 0, 0, 0};
    is_prepared_ = false;
    packed_floats_ = 0;
    bf16_ = false;
    if constexpr (Convolution::packs) {
      packed_floats_ = conv2d_packed_floats(ctx, planned_.x, w, conv_);
      bf16_ = !train && activation_ == Activation::relu && takes_bf16_views(ctx);
    }
    filters_.plan(train ? nothing : packed_floats_ > 0 ? vector(packed_floats_) : w);
    shift_.plan(train ? nothing : vector(w.n));
  }

  // folded = scale * w, and shift, such that y = activation(conv(x, folded) + shift).
  void fold(const Context& ctx, View folded, float* shift) {
    WorkspaceScope scratch(ctx.workspace);
    float* scale = scratch.floats(w_.value.shape().n);
    norm_.fold(ctx, scale, shift);
    scale_rows(ctx, folded, w_.value.view(), scale);
  }

  void forward_eval(const Context& ctx, View y, ConstView x) {
    WorkspaceScope scratch(ctx.workspace);
    ConvEpilogue epilogue;
    epilogue.relu = activation_ == Activation::relu;
    if (is_prepared_) {
      require(prepared_math_ == ctx.math, "[{}] expected the arithmetic it was prepared for, {}",
              kind_, to_string(prepared_math_));
      epilogue.bias = shift_.view(ctx.workspace).data;
      convolve_prepared(ctx, y, x, epilogue);
    } else {  // anew each time, so that filters can never lag behind their parameters
      const View folded = scratch.view(w_.value.shape());
      float* shift = scratch.floats(y.shape.c);
      fold(ctx, folded, shift);
      epilogue.bias = shift;
      convolve(ctx, y, x, folded, epilogue);
    }
    if (activation_ == Activation::tanh) tanh_forward(ctx, y, y);
  }

  void convolve(const Context& ctx, View y, ConstView x, ConstView filters,
                const ConvEpilogue& epilogue) {
    for_shards(ctx, x.shape.n, [&](const Shard& s) {
      Convolution::forward(ctx, of(y, s), of(x, s), filters, conv_, epilogue);
    });
  }

  void convolve_prepared(const Context& ctx, View y, ConstView x, const ConvEpilogue& epilogue) {
    const ConstView filters = filters_.view(ctx.workspace);
    if constexpr (Convolution::packs)
      if (packed_floats_ > 0)
        return for_shards(ctx, x.shape.n, [&](const Shard& s) {
          conv2d_forward_packed(ctx, of(y, s), of(x, s), w_.value.shape(), filters.data, conv_,
                                epilogue);
        });
    convolve(ctx, y, x, filters, epilogue);
  }

  const char* kind_;
  Activation activation_;
  Conv2d conv_;
  Parameter w_;
  NormPart norm_;
  Planned planned_;
  Index workspace_ = 0;
  Kept u_;                // of the last forward in Mode::train
  Kept filters_, shift_;  // of prepare(): packed if packed_floats_ > 0, else folded
  Index packed_floats_ = 0;
  bool is_prepared_ = false, bf16_ = false;
  Math prepared_math_ = Math::fp32;
};

}  // namespace

LayerPtr conv_bn_relu(Index in, Index out, KernelSize kernel, Conv2d conv,
                      const NormedConv& options) {
  return std::make_unique<ConvBnActivation<FullConvolution>>(
      "conv_bn_relu", Shape{out, kernel.h, kernel.w, in}, conv, options);
}

LayerPtr conv_bn_tanh(Index in, Index out, KernelSize kernel, Conv2d conv) {
  return std::make_unique<ConvBnActivation<FullConvolution>>(
      "conv_bn_tanh", Shape{out, kernel.h, kernel.w, in}, conv, NormedConv{}, Activation::tanh);
}

LayerPtr depthwise(Index channels, KernelSize kernel, Conv2d conv) {
  return std::make_unique<ConvBnActivation<DepthwiseConvolution>>(
      "depthwise", Shape{channels, kernel.h, kernel.w, 1}, conv, NormedConv{});
}

}  // namespace twinage
