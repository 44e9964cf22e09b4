#include "layers/backbones/alexnet.h"

#include <doctest/doctest.h>

#include "core/error.h"
#include "tests/layers/backbones/tower_case.h"

using namespace twinage;
using namespace twinage::test;

namespace {

// float32 against float64, in units of a tensor's typical element: 6e-6 was measured.
constexpr double kTolerance = 3e-5;

}  // namespace

TEST_CASE("alexnet agrees with torchvision's, dropout included, with batch norm and without") {
  check_case("tower_alexnet", "x5", *alexnet(95, 0.125, Norm::none).layer, {2, 95, 95, 3},
             kTolerance);
  check_case("tower_alexnet_bn", "x21", *alexnet(95, 0.125, Norm::batch).layer, {2, 95, 95, 3},
             kTolerance);
}

TEST_CASE("alexnet's parameters have torchvision's names and shapes") {
  const Stage net = alexnet(224, 1.0, Norm::none);
  check_names("alexnet_names.txt", 14, *net.layer);
  CHECK(trained_values(*net.layer) == 61'100'840 - 4'097'000);  // without the last layer
  CHECK(net.channels == 4096);
}

TEST_CASE("alexnet: map, cost and features follow the picture and the width") {
  const TestContext ctx;
  const Stage whole = alexnet(preset("alexnet"));
  CHECK(whole.layer->plan(ctx, {2, 224, 224, 3}, Mode::eval) == matrix(2, 4096));
  CHECK(whole.layer->flops() == doctest::Approx(2 * 1.42e9).epsilon(0.01));
  CHECK(whole.layer->activation_bytes() == 0);
  const Stage tiny = alexnet(preset("alexnet-tiny"));
  CHECK(tiny.channels == 2048);
  CHECK(tiny.layer->plan(ctx, {3, 112, 112, 3}, Mode::train) == matrix(3, 2048));
  // Its fully connected layers fit one size of picture; a smaller one than 63 has no map at all.
  CHECK_THROWS_AS(tiny.layer->plan(ctx, {3, 224, 224, 3}, Mode::train), Error);
  CHECK_THROWS_AS(alexnet(62, 0.5, Norm::none), Error);
  CHECK_THROWS_AS(alexnet(224, 0.5, static_cast<Norm>(2)), Error);
}

TEST_CASE("alexnet with batch norm: five norms in place of five biases") {
  const Stage net = alexnet_bn(preset("alexnet-tiny-bn"));
  const auto parameters = net.layer->parameters();
  CHECK(parameters.size() == 5 * 5 + 2 * 2);
  CHECK(parameters[0]->name == "features.0.conv.weight");
  CHECK(parameters.back()->name == "classifier.4.bias");
}
