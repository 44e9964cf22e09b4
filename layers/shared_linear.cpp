#include <algorithm>

#include "core/error.h"
#include "kernels/elementwise/elementwise.h"
#include "kernels/matmul/matmul.h"
#include "layers/description.h"
#include "layers/layers.h"
#include "layers/planned.h"

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
    Index product = std::max(matmul_workspace(ctx, x.n, 1, in),    // of s
                             matmul_workspace(ctx, x.n, out, 1));  // of y
    if (mode == Mode::train)
      product = std::max({product, matmul_workspace(ctx, x.n, 1, out),  // of ds
                          matmul_workspace(ctx, 1, in, x.n),            // of dw
                          matmul_workspace(ctx, x.n, in, 1)});          // of dx
    workspace_ = workspace_floats(x.n) + product;
    return planned_.y;
  }

  Index workspace() const override { return workspace_; }
  Index activation_bytes() const override { return 0; }
  double flops() const override {
    const auto numbers = static_cast<double>(w_.value.size() + b_.value.size());
    return 2.0 * static_cast<double>(planned_.x.n) * numbers;
  }

  // s = x w^T,   y[n, k] = s[n] + b[k]
  void forward(const Context& ctx, View y, ConstView x, Mode mode) override {
    planned_.check_forward(kName, y, x, mode);
    WorkspaceScope scratch(ctx.workspace);
    const View s = scratch.view(matrix(x.shape.n, 1));
    matmul(ctx, s, x, Transpose::no, w_.value.view(), Transpose::yes);
    matmul(ctx, y, s, Transpose::no, ones_.view(), Transpose::yes);
    add_bias(ctx, y, b_.value.data());
  }

  // ds[n] = sum over k of dy[n, k],   dw += ds^T x,   db += sum of dy over the batch,   dx = ds w
  void backward(const Context& ctx, View dx, ConstView dy, ConstView x, ConstView y,
                Write write) override {
    planned_.check_backward(kName, dx, dy, y, x);
    WorkspaceScope scratch(ctx.workspace);
    const View ds = scratch.view(matrix(x.shape.n, 1));
    matmul(ctx, ds, dy, Transpose::no, ones_.view(), Transpose::no);
    matmul(ctx, w_.grad.view(), ds, Transpose::yes, x, Transpose::no, Write::accumulate);
    sum_pixels(ctx, b_.grad.data(), dy);
    if (dx.data != nullptr)
      matmul(ctx, dx, ds, Transpose::no, w_.value.view(), Transpose::no, write);
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
