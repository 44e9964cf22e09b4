// What layers take of the workspace: what is kept, what is made again, and that nothing is written
// over while somebody still reads it.
#include <algorithm>

#include <doctest/doctest.h>

#include "core/error.h"
#include "layers/backbones/backbone.h"
#include "layers/description.h"
#include "layers/layers.h"
#include "layers/lifetimes.h"
#include "tests/layers/rig.h"

using namespace twinage;
using namespace twinage::test;

namespace {

// What a Marked layer takes and reads.
struct Marks {
  Index channels = 1, kept = 0, scratch = 0, remake_scratch = 0;
  Layer::Reads reads{};
  Layer::Remake remake = Layer::Remake::no;
};

// Writes numbers that tell who wrote them, and looks for them where it reads: y is the layer's
// number, dx what x was, with a minus.
class Marked final : public Layer {
 public:
  Marked(float number, const Marks& marks) : number_(number), marks_(marks) {}

  Shape plan(const Context&, Shape x, Mode mode) override {
    kept_.plan(mode == Mode::train ? vector(marks_.kept) : Shape{0, 0, 0, 0});
    return {x.n, x.h, x.w, marks_.channels};
  }
  Index workspace() const override { return kept_.floats() + workspace_floats(marks_.scratch); }
  Index kept() const override { return kept_.floats(); }
  double flops() const override { return 0; }
  LayerDescription describe() const override {
    return {.kind = "marked", .name = name(), .activation_bytes = activation_bytes()};
  }
  Reads backward_reads() const override { return marks_.reads; }
  Remake remake_from() const override { return marks_.remake; }
  Index remake_workspace() const override { return workspace_floats(marks_.remake_scratch); }

  void forward(const Context& ctx, View y, ConstView x, Mode mode) override {
    x_.assign(x.data, x.data + x.shape.c);
    if (mode == Mode::train)
      std::fill_n(kept_.keep(ctx.workspace).data, marks_.kept, number_ + 0.5F);
    write(ctx, y, marks_.scratch);
  }
  void remake(const Context& ctx, View y, ConstView x) override {
    CHECK(keeps_its_own(ctx));
    if (marks_.remake == Remake::from_x) CHECK(is_x(x));
    write(ctx, y, marks_.remake_scratch);
  }
  void backward(const Context& ctx, View dx, ConstView dy, ConstView x, ConstView y,
                Write) override {
    CHECK(keeps_its_own(ctx));
    if (marks_.reads.x) CHECK(is_x(x));
    if (marks_.reads.y) CHECK(is_all(y, number_));
    CHECK(is_all(dy, -number_));
    {
      WorkspaceScope scratch(ctx.workspace);
      std::fill_n(scratch.floats(marks_.scratch), marks_.scratch, -1000.0F);
    }
    if (dx.data != nullptr)
      for (Index p = 0; p < dx.shape.pixels(); ++p)
        for (Index c = 0; c < dx.shape.c; ++c) dx.pixel(p)[c] = -x_.at(static_cast<std::size_t>(c));
    kept_.let_go(ctx.workspace);
  }

 private:
  void write(const Context& ctx, View y, Index floats) const {
    WorkspaceScope scratch(ctx.workspace);
    std::fill_n(scratch.floats(floats), floats, -1000.0F);
    for (Index p = 0; p < y.shape.pixels(); ++p) std::fill_n(y.pixel(p), y.shape.c, number_);
  }
  bool keeps_its_own(const Context& ctx) const {
    const float* kept = kept_.view(ctx.workspace).data;
    return std::all_of(kept, kept + marks_.kept, [&](float v) { return v == number_ + 0.5F; });
  }
  static bool is_all(ConstView v, float value) {
    bool all = v.data != nullptr;
    for (Index p = 0; all && p < v.shape.pixels(); ++p)
      all = std::all_of(v.pixel(p), v.pixel(p) + v.shape.c, [&](float a) { return a == value; });
    return all;
  }
  bool is_x(ConstView v) const {
    bool all = v.data != nullptr;
    for (Index p = 0; all && p < v.shape.pixels(); ++p)
      for (Index c = 0; c < v.shape.c; ++c)
        all = all && v.pixel(p)[c] == x_.at(static_cast<std::size_t>(c));
    return all;
  }

  float number_;
  Marks marks_;
  std::vector<float> x_;  // a pixel of the last forward's x: all are alike
  Kept kept_;
};

LayerPtr marked(float number, const Marks& marks) {
  return std::make_unique<Marked>(number, marks);
}

// A composition drawn at random, as deep as `depth`; numbers count its layers.
LayerPtr drawn(Random& random, int depth, float& number) {
  const auto below = [&](int n) {
    return static_cast<int>(random.below(static_cast<unsigned>(n)));
  };
  const int kind = depth == 0 ? 0 : below(3);
  if (kind == 0) {
    const Marks marks{.channels = 1 + below(40),
                      .kept = below(2) * below(90),
                      .scratch = below(2) * below(300),
                      .remake_scratch = below(2) * below(300),
                      .reads = {.x = below(3) > 0, .y = below(3) == 0},
                      .remake = static_cast<Layer::Remake>(below(3))};
    return marked(++number, marks);
  }
  std::vector<LayerPtr> parts;
  const int count = 1 + below(kind == 1 ? 6 : 3);
  for (int i = 0; i < count; ++i) parts.push_back(drawn(random, depth - 1, number));
  return kind == 1 ? chain(std::move(parts)) : concat(std::move(parts));
}

// One step as its owner does it: only what backward reads is there. Returns the workspace's peak.
Index step(Layer& layer, Shape x_shape, Mode mode, Index workspace) {
  Context ctx;
  Workspace exact(workspace);
  ctx.workspace = &exact;
  const Shape shape = layer.plan(ctx, x_shape, mode);
  GuardedTensor y(shape, 3), dy(shape, 1), dx(x_shape, 2), x(x_shape, 4);
  x.fill(0);
  layer.forward(ctx, y.view(), x.view(), mode);
  CHECK(exact.kept() == layer.kept());
  if (mode == Mode::eval) return exact.peak();
  copy_values(dy.view(), y.values());
  for (Index p = 0; p < shape.pixels(); ++p)
    for (Index c = 0; c < shape.c; ++c) dy.view().pixel(p)[c] *= -1;
  {
    WorkspaceScope scratch(&exact);
    const Index free = exact.capacity() - exact.kept();
    std::fill_n(scratch.floats(free), free, -2000.0F);
  }
  const Layer::Reads reads = layer.backward_reads();
  layer.backward(ctx, dx.view(), dy.view(), reads.x ? x.view() : ConstView(nullptr, x_shape),
                 reads.y ? y.view() : ConstView(nullptr, shape), Write::overwrite);
  CHECK(exact.kept() == 0);
  CHECK((y.guards_intact() && dx.guards_intact()));
  return exact.peak();
}

}  // namespace

TEST_CASE("memory: any composition finds what it reads, in a workspace of the planned size") {
  Random random(11);
  int remade = 0;
  for (int round = 0; round < 300; ++round) {
    CAPTURE(round);
    float number = 0;
    const LayerPtr layer = drawn(random, 3, number);
    const Shape x{2, 3, 1, 6};
    for (const Mode mode : {Mode::train, Mode::eval}) {
      layer->plan(Context{}, x, mode);
      const Index planned = layer->workspace();
      step(*layer, x, mode, planned);
      if (mode == Mode::eval) CHECK(layer->kept() == 0);
    }
    layer->plan(Context{}, x, Mode::train);
    remade += layer->remake_from() != Layer::Remake::no ? 1 : 0;
  }
  CHECK(remade > 30);
}

TEST_CASE("memory: the planned workspace is exactly enough") {
  const auto scratch = [](Index channels, Index floats) {
    return marked(static_cast<float>(floats),
                  {.channels = channels, .kept = 20, .scratch = floats});
  };
  const LayerPtr layer =
      concat(list(chain(list(scratch(30, 10), scratch(7, 200), scratch(50, 33), scratch(4, 7))),
                  chain(list(scratch(9, 100), concat(list(scratch(3, 2), scratch(2, 1)))))));
  const Shape x{2, 3, 1, 6};
  for (const Mode mode : {Mode::train, Mode::eval}) {
    layer->plan(Context{}, x, mode);
    const Index planned = layer->workspace();
    CHECK(step(*layer, x, mode, planned) == planned);
    CHECK_THROWS_AS(step(*layer, x, mode, planned - 16), Error);
  }
}

TEST_CASE("memory: a chain keeps what is read and cannot be made again, nothing in inference") {
  using enum Layer::Remake;
  const Shape x{2, 3, 1, 6};
  const auto kept = [&](const Marks& below, const Marks& above) {
    const LayerPtr layer = chain(list(marked(1, below), marked(2, above)));
    layer->plan(Context{}, x, Mode::eval);
    CHECK(layer->kept() == 0);
    layer->plan(Context{}, x, Mode::train);
    return layer->kept();
  };
  const Index activation = workspace_floats(6 * 30);
  const Layer::Reads neither{.x = false, .y = false}, only_x{.y = false}, only_y{.x = false};
  CHECK(kept({.channels = 30, .reads = neither}, {.reads = neither}) == 0);
  CHECK(kept({.channels = 30, .reads = neither}, {.reads = only_x}) == activation);
  CHECK(kept({.channels = 30, .reads = only_y}, {.reads = neither}) == activation);
  CHECK(kept({.channels = 30, .reads = only_y, .remake = from_kept}, {.reads = only_x}) == 0);
  CHECK(kept({.channels = 30, .reads = only_y, .remake = from_x}, {.reads = only_x}) == 0);
  // A frozen layer keeps nothing that its output could be made of.
  const LayerPtr frozen =
      chain(list(marked(1, {.channels = 30, .kept = 50, .remake = from_kept}), marked(2, {})));
  frozen->freeze(1);
  frozen->plan(Context{}, x, Mode::train);
  CHECK(frozen->kept() == activation);
}

TEST_CASE("memory: Inception v3 keeps each convolution's sums and two numbers a channel") {
  const Stage net = tower(preset("tiny"));
  net.layer->plan(TestContext(), {3, 72, 72, 3}, Mode::train);
  Index sums = 0;
  for_each_part(net.layer->describe(), [&](const LayerDescription& part) {
    if (part.kind == "conv_bn_relu")
      sums += workspace_floats(part.y.size()) + 2 * workspace_floats(part.y.c);
  });
  CHECK(net.layer->kept() == sums);
}

TEST_CASE("memory: one backward pass a forward pass, of the same workspace") {
  const TestContext planning;
  const LayerPtr layer = bn_relu(8);
  const Shape x{2, 3, 4, 8};
  layer->plan(planning, x, Mode::train);
  const GuardedTensor in = hashed("x", x), dy = hashed("dy", x);
  GuardedTensor y(x), dx(x);
  TestContext ctx(layer->workspace()), other(layer->workspace());
  const auto backward = [&](const TestContext& with) {
    layer->backward(with, dx.view(), dy.view(), in.view(), y.view(), Write::overwrite);
  };
  CHECK_THROWS_WITH_AS(backward(ctx),
                       "[workspace] expected a forward pass in training before each backward pass",
                       Error);
  layer->forward(ctx, y.view(), in.view(), Mode::train);
  CHECK_THROWS_AS(backward(other), Error);
  backward(ctx);
  CHECK_THROWS_AS(backward(ctx), Error);
}

TEST_CASE("memory: tensors that live at once lie apart, others may share") {
  Random random(5);
  for (int round = 0; round < 100; ++round) {
    std::vector<Lifetime> all;
    for (int i = 0; i < 30; ++i) {
      const std::size_t first = random.below(20);
      all.push_back({.floats = static_cast<Index>(random.below(500)),
                     .first = first,
                     .last = first + random.below(5)});
    }
    std::vector<Index> beside(25);
    for (Index& floats : beside) floats = static_cast<Index>(random.below(2000));
    place_by_lifetime(all, beside);
    for (std::size_t moment = 0; moment < 25; ++moment) {
      Index sum = 0;
      for (const Lifetime& a : all) {
        if (!a.holds(moment)) continue;
        sum += workspace_floats(a.floats);
        for (const Lifetime& b : all)
          if (&a != &b && b.holds(moment) && a.floats > 0 && b.floats > 0)
            CHECK((a.end() <= b.offset || b.end() <= a.offset));
      }
      CHECK(floats_at(all, moment) >= sum);
    }
  }
  std::vector<Lifetime> pair = {{.floats = 10, .first = 0, .last = 1},
                                {.floats = 50, .first = 2, .last = 3}};
  place_by_lifetime(pair, std::vector<Index>{0, 0, 0, 0});
  CHECK(pair[0].offset == pair[1].offset);
  CHECK(floats_at(pair, 0) == 16);
  CHECK(floats_at(pair, 2) == 64);
}
