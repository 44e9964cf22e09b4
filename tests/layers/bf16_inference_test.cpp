// Inference in bf16 on the CPU: what lies between layers is bf16 where both sides know that
// (core/view.h), and prepared filters give the same.
#include <doctest/doctest.h>

#include "core/bf16.h"
#include "core/error.h"
#include "layers/layers.h"
#include "tests/layers/rig.h"

using namespace twinage;
using namespace twinage::test;

namespace {

struct Run {
  std::vector<float> y;
  Index workspace = 0;
};

Run run(Layer& layer, const std::vector<float>& x, Shape shape, Math math, bool prepared = false) {
  Context ctx;
  ctx.math = math;
  ctx.threads = 2;
  const Shape out = layer.plan(ctx, shape, Mode::eval);
  Workspace workspace(layer.workspace() + layer.prepared());
  ctx.workspace = &workspace;
  if (prepared) {
    layer.prepare(ctx);
    workspace.hold();
    CHECK(workspace.kept() == layer.prepared());
  }
  GuardedTensor y(out, 3);
  layer.forward(ctx, y.view(), {x.data(), shape}, Mode::eval);
  CHECK(y.guards_intact());
  return {y.values(), layer.workspace()};
}

LayerPtr side_by_side(LayerPtr second) {
  return concat(list(conv_bn_relu(16, 8, {1, 1}, {}),
                     chain(list(average_pool({3, 1, 1}), std::move(second)))));
}

}  // namespace

TEST_CASE("inference in bf16 rounds between layers that know bf16 views, and nowhere else") {
  struct Step {
    LayerPtr layer;
    bool bf16_behind;  // whether what it writes is
  };
  for (const bool with_tanh : {false, true}) {
    CAPTURE(with_tanh);
    const auto parts = [&] {
      std::vector<Step> all;
      all.push_back({conv_bn_relu(3, 16, {3, 3}, {2, 1, 1}), true});
      all.push_back({max_pool({3, 1, 1}), true});
      // A branch that does not know them: nor does the pixel that all branches share.
      all.push_back({side_by_side(with_tanh ? conv_bn_tanh(16, 6, {3, 3}, {1, 1, 1})
                                            : conv_bn_relu(16, 6, {3, 3}, {1, 1, 1})),
                     !with_tanh});
      all.push_back({conv_bn_relu(14, 10, {1, 3}, {1, 0, 1}), true});
      all.push_back({global_average_pool(), false});
      for (Step& step : all) fill_from_hash(step.layer->parameters());
      return all;
    };
    const Shape shape{2, 13, 11, 3};
    std::vector<float> a = hash_uniform("x", shape.size());
    const std::vector<float> x = a;
    Shape at = shape;
    for (Step& step : parts()) {
      a = run(*step.layer, a, at, Math::bf16).y;
      Context bf16;
      bf16.math = Math::bf16;
      at = step.layer->plan(bf16, at, Mode::eval);
      if (step.bf16_behind)
        for (float& value : a) value = rounded_to_bf16(value);
    }
    std::vector<LayerPtr> layers;
    for (Step& step : parts()) layers.push_back(std::move(step.layer));
    const LayerPtr whole = chain(std::move(layers));
    const Run got = run(*whole, x, shape, Math::bf16);
    CHECK(got.y == a);
    CHECK(got.y != run(*whole, x, shape, Math::fp32).y);
    CHECK(run(*whole, x, shape, Math::bf16, true).y == got.y);
  }
}

TEST_CASE("branches share x: it is bf16 if all of them know that") {
  Context bf16;
  bf16.math = Math::bf16;
  const Shape shape{2, 5, 5, 8};
  for (const bool first : {true, false}) {
    LayerPtr knows = conv_bn_relu(8, 8, {1, 1}, {}), does_not = depthwise(8, {3, 3}, {1, 1, 1});
    const LayerPtr both = first ? concat(list(std::move(knows), std::move(does_not)))
                                : concat(list(std::move(does_not), std::move(knows)));
    both->plan(bf16, shape, Mode::eval);
    CHECK(!both->bf16_views().x);
    CHECK(!both->bf16_views().y);
  }
  const LayerPtr alike = concat(list(max_pool({3, 1, 1}), average_pool({3, 1, 1})));
  alike->plan(bf16, shape, Mode::eval);
  CHECK(alike->bf16_views().x);
  CHECK(alike->bf16_views().y);
}

TEST_CASE("what was prepared serves until the next plan, whatever becomes of the parameters") {
  Context ctx;
  const Shape shape{2, 5, 5, 8};
  for (const bool per_channel : {false, true}) {
    const LayerPtr layer =
        per_channel ? depthwise(8, {3, 3}, {1, 1, 1}) : conv_bn_relu(8, 8, {3, 3}, {1, 1, 1});
    fill_from_hash(layer->parameters());
    const std::vector<float> x = hash_uniform("x", shape.size());
    layer->plan(ctx, shape, Mode::eval);
    Workspace workspace(layer->workspace() + layer->prepared());
    ctx.workspace = &workspace;
    const auto y = [&] {
      GuardedTensor out(shape);
      layer->forward(ctx, out.view(), {x.data(), shape}, Mode::eval);
      return out.values();
    };
    layer->prepare(ctx);
    workspace.hold();
    const std::vector<float> before = y();
    layer->parameters()[0]->value.fill(0.5F);
    CHECK(y() == before);
    workspace.release();
    layer->plan(ctx, shape, Mode::eval);
    CHECK(y() != before);
  }
}

TEST_CASE("inference in bf16 needs half the room between layers") {
  const Shape shape{8, 40, 40, 16};
  const LayerPtr two = chain(list(max_pool({3, 1, 1}), max_pool({3, 1, 1})));
  const std::vector<float> x = hash_uniform("x", shape.size());
  CHECK(run(*two, x, shape, Math::fp32).workspace == shape.size());
  CHECK(run(*two, x, shape, Math::bf16).workspace == shape.size() / 2);
}

TEST_CASE("a layer that does not know bf16 views refuses them, and all do in training") {
  Context ctx;
  ctx.math = Math::bf16;
  const Shape shape{1, 3, 3, 4};
  GuardedTensor words({1, 3, 3, 2}), floats(shape);
  const View halves = {words.data(), shape, 2, Element::bf16};
  for (const bool tanh : {true, false}) {
    const LayerPtr layer = tanh ? conv_bn_tanh(4, 4, {1, 1}, {}) : depthwise(4, {3, 3}, {1, 1, 1});
    layer->plan(ctx, shape, Mode::eval);
    CHECK_THROWS_WITH_AS(layer->forward(ctx, floats.view(), halves, Mode::eval),
                         doctest::Contains("expected x and y in float32, got bf16"), Error);
  }
  const LayerPtr pool = max_pool({3, 1, 1});
  pool->plan(ctx, shape, Mode::train);
  CHECK_THROWS_WITH_AS(pool->forward(ctx, floats.view(), halves, Mode::train),
                       doctest::Contains("expected x and y in float32, got bf16"), Error);
  CHECK(!pool->bf16_views().x);
  pool->plan(ctx, {1, 3, 3, 5}, Mode::eval);  // no pairs
  CHECK(!pool->bf16_views().x);
  pool->plan(ctx, shape, Mode::eval);
  CHECK(pool->bf16_views().x);
  ctx.math = Math::fp32;
  pool->plan(ctx, shape, Mode::eval);
  CHECK(!pool->bf16_views().x);
}
