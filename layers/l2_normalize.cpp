#include "kernels/l2_normalize/l2_normalize.h"

#include "core/error.h"
#include "layers/description.h"
#include "layers/layers.h"
#include "layers/planned.h"

namespace twinage {
namespace {

constexpr const char* kName = "l2_normalize";

class L2Normalize final : public Layer {
 public:
  explicit L2Normalize(double radius) : radius_(static_cast<float>(radius)) {
    require(radius_ > 0, "[{}] expected a radius above 0, got {}", kName, radius);
  }

  Shape plan(const Context&, Shape x, Mode mode) override {
    require(x == matrix(x.n, x.c), "[{}] expected x = (n, 1, 1, width), got {}", kName, x);
    planned_ = {x, x, mode};
    return x;
  }
  Index workspace() const override { return 0; }
  double flops() const override { return 0; }
  Reads backward_reads() const override { return {.x = true, .y = false}; }
  Remake remake_from() const override { return Remake::from_x; }

  void forward(const Context& ctx, View y, ConstView x, Mode mode) override {
    planned_.check_forward(kName, y, x, mode);
    remake(ctx, y, x);
  }
  void remake(const Context& ctx, View y, ConstView x) override {
    l2_normalize_forward(ctx, y, x, radius_);
  }

  void backward(const Context& ctx, View dx, ConstView dy, ConstView x, ConstView y,
                Write write) override {
    planned_.check_backward(kName, dx, dy, y, x);
    if (dx.data != nullptr) l2_normalize_backward(ctx, dx, dy, x, radius_, write);
  }

  LayerDescription describe() const override {
    return {.kind = kName,
            .name = name(),
            .options = {{"radius", static_cast<double>(radius_)}},
            .x = planned_.x,
            .y = planned_.y,
            .flops = flops(),
            .activation_bytes = activation_bytes()};
  }

 private:
  float radius_;
  Planned planned_;
};

}  // namespace

LayerPtr l2_normalize(double radius) {
  return std::make_unique<L2Normalize>(radius);
}

}  // namespace twinage
