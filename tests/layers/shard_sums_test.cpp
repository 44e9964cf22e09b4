// Every layer that sums over the batch: cut into shards it gives what it gives of the batch at
// once, but for rounding.
#include "layers/shard_sums.h"

#include <doctest/doctest.h>

#include "layers/initialize.h"
#include "layers/layers.h"
#include "tests/layers/rig.h"

namespace twinage {
namespace {

using namespace test;

struct Result {
  std::vector<float> y, dx;
  std::vector<std::vector<float>> parameters;  // gradients; of running statistics: values
};

// One step of a new layer. It gets a workspace of exactly the planned size, full of NaN.
Result step_of(LayerPtr layer, Shape x_shape, const Shards* shards) {
  const auto cut = [&](const TestContext& whole) {
    Context ctx = whole;
    ctx.shards = shards;
    return ctx;
  };
  layer = named("part", std::move(layer));
  const Shape y_shape = layer->plan(cut(TestContext(0)), x_shape, Mode::train);
  initialize(layer->parameters(), 5);
  for (Parameter* p : layer->parameters())
    if (p->trained) p->grad.fill(0.25F);  // gradients are added to what is there
  const GuardedTensor x = hashed("x", x_shape), dy = hashed("dy", y_shape);
  GuardedTensor y(y_shape, 3), dx(x_shape, 2);
  layer->begin_step(1, 7);
  TestContext ctx(layer->workspace());
  layer->forward(cut(ctx), y.view(), x.view(), Mode::train);
  ctx.poison();
  layer->backward(cut(ctx), dx.view(), dy.view(), x.view(), y.view(), Write::overwrite);
  CHECK((y.guards_intact() && dx.guards_intact()));
  Result result{y.values(), dx.values(), {}};
  for (Parameter* p : layer->parameters()) {
    const Tensor& t = p->trained ? p->grad : p->value;
    result.parameters.emplace_back(t.data(), t.data() + t.size());
  }
  return result;
}

double largest_difference(const std::vector<float>& a, const std::vector<float>& b) {
  double most = 0, largest = 1;
  for (std::size_t i = 0; i < b.size(); ++i) {
    const double error = std::fabs(static_cast<double>(a[i]) - static_cast<double>(b[i]));
    if (!(error <= most)) most = error;  // NaN stays
    largest = std::max(largest, std::fabs(static_cast<double>(b[i])));
  }
  return most / largest;
}

TEST_CASE("shards: a layer's step in shards is that of the whole batch but for rounding") {
  constexpr Index kBatch = 7;
  struct Case {
    const char* what;
    LayerPtr (*make)();
    Shape x;
  };
  const Shape image{kBatch, 6, 5, 8}, row = matrix(kBatch, 12);
  const Case cases[] = {
      {"conv_bn_relu",
       [] {
         return conv_bn_relu(8, 12, {3, 3}, {1, 1, 1});
       },
       image},
      {"conv_bn_tanh",
       [] {
         return conv_bn_tanh(8, 5, {3, 3}, {2, 0, 0});
       },
       image},
      {"depthwise",
       [] {
         return depthwise(8, {3, 3}, {1, 1, 1});
       },
       image},
      {"bn_relu_conv",
       [] {
         return bn_relu_conv(8, 12, {1, 1}, {});
       },
       image},
      {"bn_relu", [] { return bn_relu(8); }, image},
      {"conv_relu",
       [] {
         return conv_relu(8, 12, {3, 3}, {1, 1, 1});
       },
       image},
      {"linear", [] { return linear(12, 5); }, row},
      {"shared_linear", [] { return shared_linear(12, 5); }, row},
      {"dropout", [] { return dropout(0.5); }, row},
  };
  for (const Case& c : cases) {
    CAPTURE(c.what);
    const Result whole = step_of(c.make(), c.x, nullptr);
    const Shards one(kBatch);
    const Result uncut = step_of(c.make(), c.x, &one);
    CHECK((uncut.y == whole.y && uncut.dx == whole.dx && uncut.parameters == whole.parameters));
    for (const Index count : {2, 3, 7}) {
      CAPTURE(count);
      const Shards shards(kBatch, count);
      const Result cut = step_of(c.make(), c.x, &shards);
      const double tolerance = tolerance_of_sum(kBatch * 6 * 5, 4);
      CHECK(largest_difference(cut.y, whole.y) <= tolerance);
      CHECK(largest_difference(cut.dx, whole.dx) <= tolerance);
      for (std::size_t i = 0; i < whole.parameters.size(); ++i)
        CHECK(largest_difference(cut.parameters[i], whole.parameters[i]) <= tolerance);
    }
  }
}

}  // namespace
}  // namespace twinage
