// Parts that training leaves as they are.
#include <doctest/doctest.h>

#include "core/error.h"
#include "layers/backbones/backbone.h"
#include "layers/initialize.h"
#include "layers/layers.h"
#include "tests/layers/rig.h"

using namespace twinage;
using namespace twinage::test;

namespace {

LayerPtr three() {
  LayerPtr layer = chain(list(named("a", conv_bn_relu(3, 8, {3, 3}, {1, 1, 1})),
                              named("b", conv_bn_relu(8, 8, {3, 3}, {1, 1, 1})),
                              named("c", conv_bn_relu(8, 8, {3, 3}, {1, 1, 1}))));
  initialize(layer->parameters(), 3);
  for (Parameter* p : layer->parameters())  // statistics that a batch would change
    if (p->name.ends_with("running_mean")) p->value.fill(0.25F);
  return layer;
}

std::vector<float> values(const Tensor& t) {
  return {t.data(), t.data() + t.size()};
}
std::vector<float> values(const GuardedTensor& t) {
  return t.values();
}

}  // namespace

TEST_CASE("freeze: frozen parts run as in inference, give no gradient and keep their statistics") {
  const LayerPtr whole = three(), frozen = three();
  frozen->freeze(2);
  for (Parameter* p : frozen->parameters())
    CHECK(p->trained == (p->name.starts_with("c.") && !p->name.ends_with("running_mean") &&
                         !p->name.ends_with("running_var")));
  // What the last part sees is what two parts in inference give.
  const LayerPtr below = chain(list(named("a", conv_bn_relu(3, 8, {3, 3}, {1, 1, 1})),
                                    named("b", conv_bn_relu(8, 8, {3, 3}, {1, 1, 1}))));
  const LayerPtr above = named("c", conv_bn_relu(8, 8, {3, 3}, {1, 1, 1}));
  const auto copy = [](Layer& to, Layer& from) {
    for (Parameter* p : to.parameters())
      for (Parameter* q : from.parameters())
        if (p->name == q->name) p->value.copy_from(q->value);
  };
  copy(*below, *whole);
  copy(*above, *whole);
  const Shape x_shape{2, 6, 5, 3};
  Rig lower(*below, x_shape, Mode::eval);
  lower.forward();
  Rig upper(*above, {2, 6, 5, 8}, Mode::train);
  copy_values(upper.x.view(), values(lower.y));
  upper.zero_gradients();
  upper.forward();
  upper.backward(View{}, Write::overwrite);

  Rig rig(*frozen, x_shape, Mode::train);
  rig.zero_gradients();
  rig.forward();
  rig.backward(View{}, Write::overwrite);
  CHECK(values(rig.y) == values(upper.y));
  const auto parameters = frozen->parameters(), expected = above->parameters();
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const Parameter& got = *parameters[10 + i];
    CAPTURE(got.name);
    REQUIRE(got.name == expected[i]->name);
    CHECK(values(got.value) == values(expected[i]->value));  // running statistics moved alike
    if (got.trained) CHECK(values(got.grad) == values(expected[i]->grad));
  }
  const auto untouched = whole->parameters();
  for (std::size_t i = 0; i < 10; ++i)
    CHECK(values(parameters[i]->value) == values(untouched[i]->value));
  CHECK(rig.guards_intact());
  CHECK_THROWS_AS(rig.backward(rig.dx.view(), Write::overwrite), Error);
}

TEST_CASE("freeze: none changes nothing, all of them are a network in inference") {
  const LayerPtr layer = three(), other = three();
  layer->freeze(0);
  Rig a(*layer, {1, 4, 4, 3}, Mode::train), b(*other, {1, 4, 4, 3}, Mode::train);
  a.forward();
  b.forward();
  CHECK(values(a.y) == values(b.y));
  layer->freeze(3);
  Rig c(*layer, {1, 4, 4, 3}, Mode::train), d(*other, {1, 4, 4, 3}, Mode::eval);
  c.forward();
  copy_values(d.x.view(), values(c.x));
  for (std::size_t i = 0; i < 15; ++i)
    other->parameters()[i]->value.copy_from(layer->parameters()[i]->value);
  d.forward();
  CHECK(values(c.y) == values(d.y));
  c.backward(View{}, Write::overwrite);
  CHECK_THROWS_AS(layer->freeze(4), Error);
  CHECK_THROWS_AS(layer->freeze(-1), Error);
  CHECK_THROWS_AS(conv_bn_relu(3, 8, {1, 1}, {})->freeze(1), Error);
}

TEST_CASE("freeze: stem and blocks of every tower, and what is none of them") {
  const Stage v3 = tower(preset("v3"));
  const auto name_of = [&](std::string_view freeze) {
    const Index count = frozen_parts(*v3.layer, freeze);
    return count == 0 ? "" : v3.layer->parts()[static_cast<std::size_t>(count) - 1]->name();
  };
  CHECK(name_of("none").empty());
  CHECK(v3.layer->parts()[static_cast<std::size_t>(frozen_parts(*v3.layer, "stem"))]->name() ==
        "Mixed_5b");
  CHECK(name_of("1") == "Mixed_5b");
  CHECK(name_of("11") == "Mixed_7c");
  CHECK_THROWS_WITH_AS(frozen_parts(*v3.layer, "12"),
                       "[freeze] expected at most 11 blocks of this tower, got 12", UsageError);
  for (const char* wrong : {"", "0", "03", "-1", "stems", "1.5", "99999"}) {
    CHECK_FALSE(is_freeze(wrong));
    CHECK_THROWS_AS(frozen_parts(*v3.layer, wrong), UsageError);
  }
  // Every tower's first trained part has to do without a gradient for what is below it.
  for (const std::string& name : preset_names()) {
    CAPTURE(name);
    Preset small = preset(name);
    const Stage stage = tower(small);
    stage.layer->freeze(frozen_parts(*stage.layer, "1"));
    initialize(stage.layer->parameters(), 1);
    if (small.input > 120) continue;  // the same towers, larger
    Rig rig(*stage.layer, {1, small.input, small.input, 3}, Mode::train);
    rig.zero_gradients();
    rig.forward();
    rig.backward(View{}, Write::overwrite);
    bool any = false;
    for (Parameter* p : stage.layer->parameters()) {
      if (!p->trained) continue;
      for (Index i = 0; i < p->grad.size(); ++i) any = any || p->grad.data()[i] != 0;
    }
    CHECK(any);
    CHECK(rig.guards_intact());
  }
}
