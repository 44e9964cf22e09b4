#include "kernels/soft_stagewise/soft_stagewise.h"

#include "core/error.h"
#include "layers/description.h"
#include "layers/layers.h"
#include "layers/planned.h"

namespace twinage {
namespace {

constexpr const char* kName = "soft_stagewise";

class SoftStagewise final : public Layer {
 public:
  explicit SoftStagewise(double range) : range_(range) {}

  Shape plan(const Context&, Shape x, Mode mode) override {
    require(x == matrix(x.n, kStageNumbers), "[{}] expected x = {}, got {}", kName,
            matrix(x.n, kStageNumbers), x);
    planned_ = {x, matrix(x.n, 1), mode};
    return planned_.y;
  }
  Index workspace() const override { return 0; }
  Reads backward_reads() const override { return {.x = true, .y = false}; }
  double flops() const override { return 0; }

  void forward(const Context& ctx, View y, ConstView x, Mode mode) override {
    planned_.check_forward(kName, y, x, mode);
    soft_stagewise_forward(ctx, y, x, static_cast<float>(range_));
  }
  void backward(const Context& ctx, View dx, ConstView dy, ConstView x, ConstView y,
                Write write) override {
    planned_.check_backward(kName, dx, dy, y, x);
    if (dx.data != nullptr)
      soft_stagewise_backward(ctx, dx, dy, x, static_cast<float>(range_), write);
  }

  LayerDescription describe() const override {
    return {.kind = kName,
            .name = name(),
            .options = {{"stages", static_cast<double>(kStages)},
                        {"bins", static_cast<double>(kStageBins)},
                        {"range", range_}},
            .x = planned_.x,
            .y = planned_.y,
            .flops = flops(),
            .activation_bytes = activation_bytes()};
  }

 private:
  double range_;
  Planned planned_;
};

}  // namespace

LayerPtr soft_stagewise(double range) {
  return std::make_unique<SoftStagewise>(range);
}

}  // namespace twinage
