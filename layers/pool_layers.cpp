#include "layers/description.h"
#include "layers/layers.h"
#include "layers/planned.h"

namespace twinage {
namespace {

// What the three have in common: no parameters, nothing kept, no scratch. A pass over memory makes
// y again.
class PoolLayer : public Layer {
 public:
  explicit PoolLayer(const char* name) : name_(name) {}

  Shape plan(const Context& ctx, Shape x, Mode mode) override {
    planned_ = {x, pooled_shape(x), mode};
    bf16_ = mode == Mode::eval && takes_bf16_views(ctx) && x.c % 2 == 0;
    return planned_.y;
  }
  Bf16Views bf16_views() const override { return {bf16_, bf16_}; }
  Index workspace() const override { return 0; }
  double flops() const override { return 0; }
  Remake remake_from() const override { return Remake::from_x; }

  void forward(const Context& ctx, View y, ConstView x, Mode mode) override {
    planned_.check_forward(name_, y, x, mode, bf16_views());
    pool_forward(ctx, y, x);
  }
  void remake(const Context& ctx, View y, ConstView x) override { pool_forward(ctx, y, x); }
  void backward(const Context& ctx, View dx, ConstView dy, ConstView x, ConstView y,
                Write write) override {
    planned_.check_backward(name_, dx, dy, y, x);
    if (dx.data != nullptr) pool_backward(ctx, dx, dy, x, y, write);
  }

  LayerDescription describe() const override {
    return {.kind = name_,
            .name = name(),
            .options = options(),
            .x = planned_.x,
            .y = planned_.y,
            .flops = flops(),
            .activation_bytes = activation_bytes()};
  }

 protected:
  static std::vector<LayerDescription::Option> options_of_pool(Pool pool) {
    return options_of({1, pool.window, pool.window, 1}, {pool.stride, pool.pad, pool.pad});
  }

 private:
  virtual std::vector<LayerDescription::Option> options() const = 0;
  virtual Shape pooled_shape(Shape x) const = 0;
  virtual void pool_forward(const Context& ctx, View y, ConstView x) const = 0;
  virtual void pool_backward(const Context& ctx, View dx, ConstView dy, ConstView x, ConstView y,
                             Write write) const = 0;

  const char* name_;
  Planned planned_;
  bool bf16_ = false;
};

class MaxPool final : public PoolLayer {
 public:
  // backward looks for y in x
  explicit MaxPool(Pool pool) : PoolLayer("max_pool"), pool_(pool) {}

 private:
  std::vector<LayerDescription::Option> options() const override { return options_of_pool(pool_); }
  Shape pooled_shape(Shape x) const override { return pool_shape(x, pool_); }
  void pool_forward(const Context& ctx, View y, ConstView x) const override {
    max_pool_forward(ctx, y, x, pool_);
  }
  void pool_backward(const Context& ctx, View dx, ConstView dy, ConstView x, ConstView y,
                     Write write) const override {
    max_pool_backward(ctx, dx, dy, x, y, pool_, write);
  }

  Pool pool_;
};

class AveragePool final : public PoolLayer {
 public:
  explicit AveragePool(Pool pool) : PoolLayer("average_pool"), pool_(pool) {}
  Reads backward_reads() const override { return {.x = false, .y = false}; }

 private:
  std::vector<LayerDescription::Option> options() const override { return options_of_pool(pool_); }
  Shape pooled_shape(Shape x) const override { return pool_shape(x, pool_); }
  void pool_forward(const Context& ctx, View y, ConstView x) const override {
    average_pool_forward(ctx, y, x, pool_);
  }
  void pool_backward(const Context& ctx, View dx, ConstView dy, ConstView, ConstView,
                     Write write) const override {
    average_pool_backward(ctx, dx, dy, pool_, write);
  }

  Pool pool_;
};

class GlobalAveragePool final : public PoolLayer {
 public:
  GlobalAveragePool() : PoolLayer("global_average_pool") {}
  Reads backward_reads() const override { return {.x = false, .y = false}; }

 private:
  std::vector<LayerDescription::Option> options() const override { return {}; }
  Shape pooled_shape(Shape x) const override { return {x.n, 1, 1, x.c}; }
  void pool_forward(const Context& ctx, View y, ConstView x) const override {
    global_average_pool_forward(ctx, y, x);
  }
  void pool_backward(const Context& ctx, View dx, ConstView dy, ConstView, ConstView,
                     Write write) const override {
    global_average_pool_backward(ctx, dx, dy, write);
  }
};

}  // namespace

LayerPtr max_pool(Pool pool) {
  return std::make_unique<MaxPool>(pool);
}
LayerPtr average_pool(Pool pool) {
  return std::make_unique<AveragePool>(pool);
}
LayerPtr global_average_pool() {
  return std::make_unique<GlobalAveragePool>();
}

}  // namespace twinage
