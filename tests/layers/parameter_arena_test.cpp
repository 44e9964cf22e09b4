#include "layers/parameter_arena.h"

#include <doctest/doctest.h>

#include "layers/layers.h"

using namespace twinage;

namespace {

// Values that tell every parameter and element apart.
void number(const std::vector<Parameter*>& parameters) {
  float next = 1;
  for (Parameter* p : parameters)
    for (Index i = 0; i < p->value.size(); ++i) p->value.data()[i] = next++;
}

bool numbered(const std::vector<Parameter*>& parameters) {
  float next = 1;
  for (const Parameter* p : parameters)
    for (Index i = 0; i < p->value.size(); ++i)
      if (p->value.data()[i] != next++) return false;
  return true;
}

}  // namespace

TEST_CASE("gathering keeps every value, and the tensors live in the arena") {
  const LayerPtr layer = conv_bn_relu(3, 5, {3, 3}, {});
  const auto parameters = layer->parameters();
  number(parameters);
  for (Parameter* p : parameters)
    if (p->trained) p->grad.fill(p->value.data()[0]);
  ParameterArena arena;
  CHECK(arena.empty());
  for (int again = 0; again < 2; ++again) {  // the second time, from an arena into an arena
    arena.gather(parameters, Device::cpu);
    CHECK(numbered(parameters));
    std::size_t trained = 0;
    for (const Parameter* p : parameters) {
      if (!p->trained) {
        CHECK(p->grad.empty());
        continue;
      }
      const Index offset = arena.offsets().at(trained++);
      CHECK(offset % 16 == 0);  // a cache line
      CHECK(p->value.data() == arena.values().data() + offset);
      CHECK(p->grad.data() == arena.gradients().data() + offset);
      CHECK(p->grad.data()[p->grad.size() - 1] == p->value.data()[0]);
    }
    CHECK(trained == arena.offsets().size());
  }
}

TEST_CASE("the floats between the tensors are 0") {
  const LayerPtr layer = linear(3, 5);  // 15 and 5 floats: both blocks have a rest
  const auto parameters = layer->parameters();
  number(parameters);
  ParameterArena arena;
  arena.gather(parameters, Device::cpu);
  CHECK(arena.values().size() == 32);
  CHECK(arena.values().data()[15] == 0);
  for (Index i = 16 + 5; i < 32; ++i) CHECK(arena.values().data()[i] == 0);
}
