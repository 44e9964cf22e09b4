#include "layers/backbones/densenet.h"

#include <doctest/doctest.h>

#include "core/error.h"
#include "tests/layers/backbones/tower_case.h"

using namespace twinage;
using namespace twinage::test;

namespace {

constexpr DenseNet kNarrow = {.layers = {2, 3, 2, 2}};

}  // namespace

TEST_CASE("densenet agrees with torchvision's, forward and backward") {
  // float32 against float64, in units of a tensor's typical element. 23 convolutions deep.
  check_case("densenet", "x840", *densenet(kNarrow, 0.25).layer, {2, 75, 67, 3}, 5e-4);
}

TEST_CASE("densenet's parameters have torchvision's names and shapes") {
  const Stage net = densenet({}, 1.0);
  check_names("densenet121_names.txt", 120 * 1 + 121 * 4, *net.layer);
  CHECK(trained_values(*net.layer) == 7'978'856 - 1'025'000);  // without the classifier
  CHECK(net.channels == 1024);
}

TEST_CASE("densenet: shapes and cost") {
  const TestContext ctx;
  const Stage whole = densenet121(preset("densenet"));
  CHECK(whole.layer->plan(ctx, {1, 224, 224, 3}, Mode::eval) == matrix(1, 1024));
  // torchvision says 2.83 GFLOPS, which are multiplications and additions.
  CHECK(whole.layer->flops() == doctest::Approx(2 * 2.83e9).epsilon(0.01));
  const Stage tiny = densenet121(preset("densenet-tiny"));
  CHECK(tiny.channels == 512);
  CHECK(tiny.layer->plan(ctx, {3, 72, 72, 3}, Mode::train) == matrix(3, 512));
  // Too small for three halvings behind the stem.
  CHECK_THROWS_AS(tiny.layer->plan(ctx, {2, 28, 28, 3}, Mode::train), Error);
}

TEST_CASE("a dense block's memory is its output and its bottlenecks, not their sums") {
  // Of 2 and of 4 layers on a map of 4 x 4 (of 16 x 16 pixels), 8 channels each: what more layers
  // keep, a channel at a time, does not depend on how many were before.
  const auto bytes = [](Index layers) {
    const Stage net = densenet({.layers = {layers, 1, 1, 1}}, 0.25);
    net.layer->plan(TestContext(), {1, 128, 128, 3}, Mode::train);
    return net.layer->activation_bytes();
  };
  const Index fewer = bytes(4) - bytes(2), more = bytes(34) - bytes(32);
  const Index map = 32 * 32, growth = 8;
  // A layer's outputs and its bottleneck; the rest are statistics and the transitions' halves.
  CHECK(fewer >= 4 * 2 * map * 5 * growth);
  CHECK(more < 1.3 * static_cast<double>(fewer));
}
