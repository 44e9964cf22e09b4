// A layer with everything one step of it needs, set up to catch what it does wrong: outputs are
// poisoned and guarded, all views are channel slices, the workspace is of exactly the planned size
// and full of NaN but for what is kept from forward to backward, and of x and y backward gets only
// what it says it reads.
#pragma once
#include <vector>

#include <doctest/doctest.h>

#include "kernels/elementwise/elementwise.h"
#include "layers/layer.h"
#include "tests/layers/fixture.h"
#include "tests/support/test_context.h"

namespace twinage::test {

inline void copy_values(View to, const std::vector<float>& values) {
  const Shape s = to.shape;
  for (Index p = 0; p < s.pixels(); ++p)
    for (Index c = 0; c < s.c; ++c) to.pixel(p)[c] = values[static_cast<std::size_t>(p * s.c + c)];
}

// Values from the hash of a name, as the fixtures' x and dy.
inline GuardedTensor hashed(const std::string& name, Shape shape, Index extra_channels = 5) {
  GuardedTensor t(shape, extra_channels);
  copy_values(t.view(), hash_uniform(name, shape.size()));
  return t;
}

class Rig {
 public:
  Rig(Layer& layer, Shape x_shape, Mode planned_mode, int thread_count = 2)
      : layer_(layer),
        mode_(planned_mode),
        y_shape_(layer.plan(TestContext(0, thread_count), x_shape, planned_mode)),
        context_(layer.workspace(), thread_count),
        x(hashed("x", x_shape)),
        y(y_shape_, 3),
        dy(hashed("dy", y_shape_)),
        dx(x_shape, 2) {
    if (planned_mode == Mode::train) begin_step(7);
  }

  void begin_step(std::uint64_t step) { layer_.begin_step(1, step); }

  void forward() {
    context_.get().workspace->forget();
    context_.poison();
    layer_.forward(context_, y.view(), x.view(), mode_);
    CHECK(context_.get().workspace->kept() == layer_.kept());
  }
  void backward(Write write = Write::overwrite) { backward(dx.view(), write); }
  void backward(View into, Write write) {
    const Layer::Reads reads = layer_.backward_reads();
    const auto if_read = [](bool read, ConstView v) {
      return read ? v : ConstView(nullptr, v.shape);
    };
    context_.poison();
    layer_.backward(context_, into, dy.view(), if_read(reads.x, x.view()),
                    if_read(reads.y, y.view()), write);
    CHECK(context_.get().workspace->kept() == 0);
  }
  // Whether y made again is y, bit for bit; to be called between forward and backward.
  bool remakes_y() {
    const bool from_x = layer_.remake_from() == Layer::Remake::from_x;
    GuardedTensor again(y_shape_, 3);
    context_.poison();
    layer_.remake(context_, again.view(), from_x ? x.view() : ConstView(nullptr, x.view().shape));
    return again.guards_intact() && again.values() == y.values();
  }
  void zero_gradients() {
    for (Parameter* p : layer_.parameters())
      if (p->trained) p->grad.fill(0);
  }
  bool guards_intact() const {
    return x.guards_intact() && y.guards_intact() && dy.guards_intact() && dx.guards_intact();
  }
  // The scalar whose gradient backward forms: sum of y * dy.
  double loss() const {
    double sum = 0;
    for (Index p = 0; p < y_shape_.pixels(); ++p)
      for (Index c = 0; c < y_shape_.c; ++c)
        sum +=
            static_cast<double>(y.view().pixel(p)[c]) * static_cast<double>(dy.view().pixel(p)[c]);
    return sum;
  }

 private:
  Layer& layer_;
  Mode mode_;
  Shape y_shape_;
  TestContext context_;

 public:
  GuardedTensor x, y, dy, dx;
};

// The parts of a composition.
template <class... L>
std::vector<LayerPtr> list(L... layers) {
  std::vector<LayerPtr> all;
  (all.push_back(std::move(layers)), ...);
  return all;
}

}  // namespace twinage::test
