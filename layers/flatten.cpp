#include "kernels/elementwise/elementwise.h"
#include "layers/description.h"
#include "layers/layers.h"
#include "layers/planned.h"

namespace twinage {
namespace {

constexpr const char* kName = "flatten";

// Calls f(rows of many, pixels of x): once where the rows are packed, as they are in a chain, else
// once for each picture, whose row is as packed as a slice of channels can be.
template <class Rows, class F>
void for_pictures(Rows rows, Shape map, F f) {
  if (rows.contiguous()) return f(Rows(rows.data, map), Index{0}, map.n);
  for (Index n = 0; n < map.n; ++n) f(Rows(rows.pixel(n), {1, map.h, map.w, map.c}), n, Index{1});
}

class Flatten final : public Layer {
 public:
  Shape plan(const Context&, Shape x, Mode mode) override {
    planned_ = {x, matrix(x.n, x.h * x.w * x.c), mode};
    return planned_.y;
  }
  Index workspace() const override { return 0; }
  double flops() const override { return 0; }
  Reads backward_reads() const override { return {.x = false, .y = false}; }
  Remake remake_from() const override { return Remake::from_x; }

  void forward(const Context& ctx, View y, ConstView x, Mode mode) override {
    planned_.check_forward(kName, y, x, mode);
    remake(ctx, y, x);
  }
  void remake(const Context& ctx, View y, ConstView x) override {
    for_pictures(y, planned_.x,
                 [&](View row, Index n, Index count) { copy(ctx, row, x.images(n, count)); });
  }

  void backward(const Context& ctx, View dx, ConstView dy, ConstView x, ConstView y,
                Write write) override {
    planned_.check_backward(kName, dx, dy, y, x);
    if (dx.data == nullptr) return;
    for_pictures(dy, planned_.x, [&](ConstView row, Index n, Index count) {
      (write == Write::overwrite ? copy : add)(ctx, dx.images(n, count), row);
    });
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
  Planned planned_;
};

}  // namespace

LayerPtr flatten() {
  return std::make_unique<Flatten>();
}

}  // namespace twinage
