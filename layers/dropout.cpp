#include "kernels/dropout/dropout.h"

#include "core/array.h"
#include "core/error.h"
#include "core/shards.h"
#include "kernels/elementwise/elementwise.h"
#include "layers/description.h"
#include "layers/layers.h"
#include "layers/planned.h"

namespace twinage {
namespace {

constexpr const char* kName = "dropout";

class Dropout final : public Layer {
 public:
  explicit Dropout(double rate) : rate_(rate), rule_(dropout_rule(rate)) {}

  Shape plan(const Context& ctx, Shape x, Mode mode) override {
    planned_ = {x, x, mode};
    key_ = mode == Mode::train ? Array<DropoutKey>(1, ctx.device) : Array<DropoutKey>();
    const Index before = ctx.shards == nullptr ? 0 : ctx.shards->first_image();
    first_ = static_cast<std::uint64_t>(before * x.h * x.w * x.c);
    begun_ = false;
    return x;
  }
  Index workspace() const override { return 0; }
  double flops() const override { return 0; }
  // The mask is not kept: backward forms it again.
  Reads backward_reads() const override { return {.x = false, .y = false}; }
  Remake remake_from() const override { return Remake::from_x; }
  void remake(const Context& ctx, View y, ConstView x) override { apply(ctx, y, x); }

  // The key travels to the device, where a recorded step finds it.
  void begin_step(std::uint64_t seed, std::uint64_t step) override {
    require(planned_.mode == Mode::train && key_.size() == 1,
            "[{}] expected a plan for training before a step begins", kName);
    require(step >> 32 == 0, "[{}] expected a step below 2^32, got {}", kName, step);
    const DropoutKey key{seed, step, stream_of(name()), first_};
    key_.copy_from({&key, 1});
    begun_ = true;
  }

  void forward(const Context& ctx, View y, ConstView x, Mode mode) override {
    planned_.check_forward(kName, y, x, mode);
    if (mode == Mode::eval) return copy(ctx, y, x);
    require(begun_, "[{}] expected begin_step() before a forward pass in training", kName);
    apply(ctx, y, x);
  }

  void backward(const Context& ctx, View dx, ConstView dy, ConstView x, ConstView y,
                Write write) override {
    planned_.check_backward(kName, dx, dy, y, x);
    if (dx.data != nullptr) apply(ctx, dx, dy, write);
  }

  LayerDescription describe() const override {
    return {.kind = kName,
            .name = name(),
            .options = {{"rate", rate_}},
            .x = planned_.x,
            .y = planned_.y,
            .flops = flops(),
            .activation_bytes = activation_bytes()};
  }

 private:
  void apply(const Context& ctx, View y, ConstView x, Write write = Write::overwrite) const {
    twinage::dropout(ctx, y, x, rule_, key_.data(), write);
  }

  double rate_;
  DropoutRule rule_;
  Planned planned_;
  Array<DropoutKey> key_;    // on the device
  std::uint64_t first_ = 0;  // element of the batch: other processes may have those before it
  bool begun_ = false;       // since plan()
};

}  // namespace

LayerPtr dropout(double rate) {
  return std::make_unique<Dropout>(rate);
}

}  // namespace twinage
