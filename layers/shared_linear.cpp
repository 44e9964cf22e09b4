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

constexpr const char* kName = "shared_linear";

class SharedLinear final : public Layer {
 public:
  SharedLinear(Index in, Index out)
      : w_{"weight", Tensor(matrix(1, in)), Tensor(matrix(1, in))},
        b_{"bias", Tensor(vector(out)), Tensor(vector(out))} {}

  Shape plan(const Context& ctx, Shape x, Mode mode) override {
    const Index in = w_.value.shape().c, out = b_.value.size();
    require(x == matrix(x.n, in), "[{}] expected x = {}, got {}", kName, matrix(x.n, in), x);
    planned_ = {x, matrix(x.n, out), mode};
    ones_ = Tensor(matrix(out, 1), ctx.device);
    ones_.fill(1);
    const Index product = most_of_shards(ctx, x, [&](Shape of_shard) {
      const Index n = of_shard.n;
      const Index forward = std::max(matmul_workspace(ctx, n, 1, in),    // of s
                                     matmul_workspace(ctx, n, out, 1));  // of y
      if (mode == Mode::eval) return forward;
      return std::max({forward, matmul_workspace(ctx, n, 1, out),  // of ds
                       matmul_workspace(ctx, 1, in, n),            // of dw
                       matmul_workspace(ctx, n, in, 1)});          // of dx
    });
    workspace_ = workspace_floats(x.n) + product;
    if (mode == Mode::train) workspace_ += shard_sum_workspace(ctx, std::max(in, out));
    return planned_.y;
  }

  Index workspace() const override { return workspace_; }
  Reads backward_reads() const override { return {.x = true, .y = false}; }
  double flops() const override {
    const auto numbers = static_cast<double>(w_.value.size() + b_.value.size());
    return 2.0 * static_cast<double>(planned_.x.n) * numbers;
  }

  // s = x w^T,   y[n, k] = s[n] + b[k]
  void forward(const Context& ctx, View y, ConstView x, Mode mode) override {
    planned_.check_forward(kName, y, x, mode);
    WorkspaceScope scratch(ctx.workspace);
    const View s = scratch.view(matrix(x.shape.n, 1));
    for_shards(ctx, x.shape.n, [&](const Shard& of_batch) {
      const View sums = of(s, of_batch);
      matmul(ctx, sums, of(x, of_batch), Transpose::no, w_.value.view(), Transpose::yes);
      matmul(ctx, of(y, of_batch), sums, Transpose::no, ones_.view(), Transpose::yes);
    });
    add_bias(ctx, y, b_.value.data());
  }

  // ds[n] = sum over k of dy[n, k],   dw += ds^T x,   db += sum of dy over the batch,   dx = ds w
  void backward(const Context& ctx, View dx, ConstView dy, ConstView x, ConstView y,
                Write write) override {
    planned_.check_backward(kName, dx, dy, y, x);
    WorkspaceScope scratch(ctx.workspace);
    const View ds = scratch.view(matrix(x.shape.n, 1));
    for_shards(ctx, x.shape.n, [&](const Shard& s) {
      matmul(ctx, of(ds, s), of(dy, s), Transpose::no, ones_.view(), Transpose::no);
    });
    add_sum_of_shards(ctx, w_.grad.view(), x.shape.n, [&](View dw, const Shard& s, Write how) {
      matmul(ctx, dw, of(ds, s), Transpose::yes, of(x, s), Transpose::no, how);
    });
    add_sum_of_pixels(ctx, b_.grad.view(), dy);
    if (dx.data == nullptr) return;
    for_shards(ctx, x.shape.n, [&](const Shard& s) {
      matmul(ctx, of(dx, s), of(ds, s), Transpose::no, w_.value.view(), Transpose::no, write);
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
  Tensor ones_;  // [out], on the device: what spreads s over y's columns, and gathers dy's
  Planned planned_;
  Index workspace_ = 0;
};

}  // namespace

LayerPtr shared_linear(Index in, Index out) {
  return std::make_unique<SharedLinear>(in, out);
}

}  // namespace twinage
