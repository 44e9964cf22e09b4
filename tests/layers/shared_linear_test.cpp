#include <doctest/doctest.h>

#include "layers/layers.h"
#include "tests/layers/rig.h"

using namespace twinage;
using namespace twinage::test;

TEST_CASE("a shared linear layer's outputs differ by their biases alone, by hand") {
  const LayerPtr layer = shared_linear(2, 3);
  const std::vector<Parameter*> parameters = layer->parameters();
  CHECK(parameters[0]->value.shape() == matrix(1, 2));
  const std::vector<float> w{2, -1}, b{0.5F, 0, -3};
  parameters[0]->value.copy_from(w.data(), 2);
  parameters[1]->value.copy_from(b.data(), 3);
  Rig rig(*layer, matrix(2, 2), Mode::train);
  copy_values(rig.x.view(), {1, 1, 3, -2});  // w . x = 1 and 8
  copy_values(rig.dy.view(), {1, 0, 2, -1, 4, 0});
  rig.forward();
  rig.backward();
  CHECK(rig.y.values() == std::vector<float>{1.5F, 1, -2, 8.5F, 8, 5});
  // ds = 3 and 3
  CHECK(rig.dx.values() == std::vector<float>{6, -3, 6, -3});
  CHECK(parameters[0]->grad.data()[0] == 3 * 1 + 3 * 3);
  CHECK(parameters[0]->grad.data()[1] == 3 * 1 + 3 * -2);
  CHECK(parameters[1]->grad.data()[0] == 0);
  CHECK(parameters[1]->grad.data()[2] == 2);
}

TEST_CASE("a shared linear layer's workspace is enough for a large batch") {
  const LayerPtr layer = shared_linear(2, 3);
  Rig rig(*layer, matrix(3000, 2), Mode::train);
  CHECK_NOTHROW(rig.forward());
  CHECK_NOTHROW(rig.backward());
  CHECK(rig.guards_intact());
}
