#include "core/error.h"
#include "kernels/elementwise/elementwise.h"
#include "layers/description.h"
#include "layers/layers.h"
#include "layers/norm_part.h"
#include "layers/planned.h"

namespace twinage {
namespace {

constexpr const char* kName = "bn_relu";

class BnRelu final : public Layer {
 public:
  BnRelu(Index channels, const std::string& name, const BatchNorm& norm)
      : channels_(channels), norm_(name, channels, norm) {}

  Shape plan(const Context& ctx, Shape x, Mode mode) override {
    require(x.c == channels_, "[{}] expected x with {} channels, got {}", kName, channels_, x);
    planned_ = {x, x, mode};
    norm_.plan(kName, ctx, x, mode);
    workspace_ = norm_.kept() + norm_.workspace(ctx, x);
    if (mode == Mode::train) workspace_ += workspace_floats(x.size());  // a gradient to be added
    return x;
  }
  Index workspace() const override { return workspace_; }
  Index kept() const override { return norm_.kept(); }
  double flops() const override { return 0; }
  Reads backward_reads() const override { return {.x = true, .y = false}; }
  Remake remake_from() const override { return Remake::from_x; }
  void remake(const Context& ctx, View y, ConstView x) override { norm_.apply_batch(ctx, y, x); }

  void forward(const Context& ctx, View y, ConstView x, Mode mode) override {
    planned_.check_forward(kName, y, x, mode);
    if (mode == Mode::eval) return norm_.apply_running(ctx, y, x);
    norm_.keep(ctx);
    norm_.find_statistics(ctx, x);
    norm_.update_running(ctx, x.shape);
    norm_.apply_batch(ctx, y, x);
  }

  void backward(const Context& ctx, View dx, ConstView dy, ConstView x, ConstView y,
                Write write) override {
    planned_.check_backward(kName, dx, dy, y, x);
    WorkspaceScope scratch(ctx.workspace);
    const bool straight = dx.data != nullptr && write == Write::overwrite;
    const View dnorm = straight ? dx : scratch.view(x.shape);
    norm_.backward(ctx, dnorm, dy, x);
    if (!straight && dx.data != nullptr) add(ctx, dx, dnorm);
    norm_.let_go(ctx);
  }

  std::vector<Parameter*> parameters() override { return norm_.parameters(); }

  LayerDescription describe() const override {
    LayerDescription layer{.kind = kName,
                           .name = name(),
                           .x = planned_.x,
                           .y = planned_.y,
                           .parameters = norm_.parameters(),
                           .flops = flops(),
                           .activation_bytes = activation_bytes()};
    norm_.describe(layer);
    return layer;
  }

 private:
  Index channels_;
  NormPart norm_;
  Planned planned_;
  Index workspace_ = 0;
};

}  // namespace

LayerPtr bn_relu(Index channels, const std::string& name, const BatchNorm& norm) {
  return std::make_unique<BnRelu>(channels, name, norm);
}

}  // namespace twinage
