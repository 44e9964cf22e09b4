#include "layers/backbones/mobilenet.h"

#include <doctest/doctest.h>

#include "core/error.h"
#include "tests/layers/backbones/tower_case.h"

using namespace twinage;
using namespace twinage::test;

TEST_CASE("mobilenet agrees with the same network in PyTorch") {
  // float32 against float64, in units of a tensor's typical element. 27 convolutions deep.
  check_case("mobilenet", "x170", *mobilenet(0.25).layer, {2, 67, 75, 3}, 1e-3);
}

TEST_CASE("mobilenet's parameters have the names of its authors' layers, and the paper's number") {
  const Stage net = mobilenet(1.0);
  check_names("mobilenet_names.txt", 27 * 5, *net.layer);
  // Table 8 says 4.2 million with the classifier, which has 1,025,000.
  CHECK(trained_values(*net.layer) == 3'206'976);
  CHECK(net.channels == 1024);
}

TEST_CASE("mobilenet: shapes and the paper's cost") {
  const TestContext ctx;
  const Stage whole = mobilenet(preset("mobilenet"));
  CHECK(whole.layer->plan(ctx, {2, 224, 224, 3}, Mode::eval) == matrix(2, 1024));
  // Table 4: 569 million multiplications and additions, of which the classifier has 1 million.
  CHECK(whole.layer->flops() == doctest::Approx(2 * 2 * 568e6).epsilon(0.002));
  CHECK(whole.layer->activation_bytes() == 0);
  // Table 6: width multiplier 0.5, 149 million.
  const Stage half = mobilenet(0.5);
  half.layer->plan(ctx, {1, 224, 224, 3}, Mode::eval);
  CHECK(half.layer->flops() == doctest::Approx(2 * 149e6).epsilon(0.01));
  const Stage tiny = mobilenet(preset("mobilenet-tiny"));
  CHECK(tiny.layer->plan(ctx, {3, 72, 72, 3}, Mode::train) == matrix(3, 1024));
  // One pixel of one picture is nothing to normalise over.
  CHECK_THROWS_AS(tiny.layer->plan(ctx, {1, 32, 32, 3}, Mode::train), Error);
}
