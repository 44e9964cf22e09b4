#include <algorithm>

#include "core/error.h"
#include "kernels/elementwise/elementwise.h"
#include "kernels/matmul/matmul.h"
#include "layers/description.h"
#include "layers/layers.h"
#include "layers/planned.h"
#include "layers/shard_sums.h"

namespace twinage {
namespace {

constexpr const char* kName = "linear";

class Linear final : public Layer {
 public:
  Linear(Index in, Index out)
      : w_{"weight", Tensor(matrix(out, in)), Tensor(matrix(out, in))},
        b_{"bias", Tensor(vector(out)), Tensor(vector(out))} {}

  Shape plan(const Context& ctx, Shape x, Mode mode) override {
    const Index in = w_.value.shape().c, out = w_.value.shape().n;
    require(x == matrix(x.n, in), "[{}] expected x = {}, got {}", kName, matrix(x.n, in), x);
    planned_ = {x, matrix(x.n, out), mode};
    workspace_ = most_of_shards(ctx, x, [&](Shape of_shard) {
      const Index n = of_shard.n, of_y = matmul_workspace(ctx, n, out, in);
      if (mode == Mode::eval) return of_y;
      return std::max({of_y, matmul_workspace(ctx, out, in, n),  // of dw
                       matmul_workspace(ctx, n, in, out)});      // of dx
    });
    if (mode == Mode::train) workspace_ += shard_sum_workspace(ctx, w_.value.size());
    return planned_.y;
  }

  Index workspace() const override { return workspace_; }
  Reads backward_reads() const override { return {.x = true, .y = false}; }
  double flops() const override {
    return 2.0 * static_cast<double>(planned_.x.n) * static_cast<double>(w_.value.size());
  }

  // y = x w^T + b
  void forward(const Context& ctx, View y, ConstView x, Mode mode) override {
    planned_.check_forward(kName, y, x, mode);
    for_shards(ctx, x.shape.n, [&](const Shard& s) {
      matmul(ctx, of(y, s), of(x, s), Transpose::no, w_.value.view(), Transpose::yes);
    });
    add_bias(ctx, y, b_.value.data());
  }

  // dw += dy^T x,   db += sum of dy over the batch,   dx = dy w
  void backward(const Context& ctx, View dx, ConstView dy, ConstView x, ConstView y,
                Write write) override {
    planned_.check_backward(kName, dx, dy, y, x);
    add_sum_of_shards(ctx, w_.grad.view(), x.shape.n, [&](View dw, const Shard& s, Write how) {
      matmul(ctx, dw, of(dy, s), Transpose::yes, of(x, s), Transpose::no, how);
    });
    add_sum_of_pixels(ctx, b_.grad.view(), dy);
    if (dx.data == nullptr) return;
    for_shards(ctx, x.shape.n, [&](const Shard& s) {
      matmul(ctx, of(dx, s), of(dy, s), Transpose::no, w_.value.view(), Transpose::no, write);
    });
  }

  std::vector<Parameter*> parameters() override { return {&w_, &b_}; }

  LayerDescription describe() const override {
    return {.kind = kName,
            .name = name(),
            .x = planned_.x,
            .y = planned_.y,
            .parameters = {&w_, &b_},
            .flops = flops(),
            .activation_bytes = activation_bytes()};
  }

 private:
  Parameter w_, b_;
  Planned planned_;
  Index workspace_ = 0;
};

}  // namespace

LayerPtr linear(Index in, Index out) {
  return std::make_unique<Linear>(in, out);
}

}  // namespace twinage
