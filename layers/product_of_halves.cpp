#include "core/error.h"
#include "kernels/elementwise/elementwise.h"
#include "layers/description.h"
#include "layers/layers.h"
#include "layers/planned.h"

namespace twinage {
namespace {

constexpr const char* kName = "product_of_halves";

class ProductOfHalves final : public Layer {
 public:
  Shape plan(const Context&, Shape x, Mode mode) override {
    require(x.c % 2 == 0, "[{}] expected x with an even number of channels, got {}", kName, x);
    planned_ = {x, {x.n, x.h, x.w, x.c / 2}, mode};
    return planned_.y;
  }
  Index workspace() const override {
    return planned_.mode == Mode::train ? workspace_floats(planned_.y.size()) : 0;
  }
  double flops() const override { return 0; }
  Reads backward_reads() const override { return {.x = true, .y = false}; }
  Remake remake_from() const override { return Remake::from_x; }

  void forward(const Context& ctx, View y, ConstView x, Mode mode) override {
    planned_.check_forward(kName, y, x, mode);
    remake(ctx, y, x);
  }
  void remake(const Context& ctx, View y, ConstView x) override {
    multiply(ctx, y, half(x, 0), half(x, 1));
  }

  // da = dy * b,   db = dy * a
  void backward(const Context& ctx, View dx, ConstView dy, ConstView x, ConstView y,
                Write write) override {
    planned_.check_backward(kName, dx, dy, y, x);
    if (dx.data == nullptr) return;
    WorkspaceScope scratch(ctx.workspace);
    const View more = scratch.view(planned_.y);
    for (const int i : {0, 1}) {
      multiply(ctx, write == Write::overwrite ? half(dx, i) : more, dy, half(x, 1 - i));
      if (write == Write::accumulate) add(ctx, half(dx, i), more);
    }
  }

  LayerDescription describe() const override {
    return {.kind = kName,
            .name = name(),
            .x = planned_.x,
            .y = planned_.y,
            .flops = flops(),
            .activation_bytes = activation_bytes()};
  }

 private:
  template <class AnyView>
  AnyView half(AnyView x, int i) const {
    return x.channels(i * planned_.y.c, planned_.y.c);
  }

  Planned planned_;
};

}  // namespace

LayerPtr product_of_halves() {
  return std::make_unique<ProductOfHalves>();
}

}  // namespace twinage
