#include "layers/backbones/inception_v3.h"

#include <doctest/doctest.h>

#include "core/error.h"
#include "tests/layers/backbones/tower_case.h"

using namespace twinage;
using namespace twinage::test;

namespace {

// float32 against float64, in units of a tensor's typical element. A block is up to five
// convolutions deep and normalises after each one: 2e-6 was measured.
constexpr double kBlockTolerance = 3e-5;
// The tower is 48 convolutions deep and its last maps have few pixels to normalise over: 8e-4
// measured. A gradient that is wrong or lost somewhere is off by 0.1 and more.
constexpr double kTowerTolerance = 5e-3;

}  // namespace

TEST_CASE("every block agrees with torchvision's, forward and backward") {
  const Index in = 12;
  const double width = 0.125;
  check_case("inception_a", "x113", *inception_a(in, width, 32).layer, {2, 7, 6, in},
             kBlockTolerance);
  check_case("inception_b", "x64", *inception_b(in, width).layer, {2, 9, 8, in}, kBlockTolerance);
  check_case("inception_c", "x20", *inception_c(in, width, 128).layer, {2, 6, 7, in},
             kBlockTolerance);
  check_case("inception_d", "x118", *inception_d(in, width).layer, {2, 9, 8, in}, kBlockTolerance);
  check_case("inception_e", "x21", *inception_e(in, width).layer, {2, 5, 4, in}, kBlockTolerance);
}

TEST_CASE("the whole tower agrees with torchvision's, with either stem") {
  check_case("tower_compact", "x22", *inception_v3(0.25, Stem::compact).layer, {2, 72, 72, 3},
             kTowerTolerance);
  check_case("tower_standard", "x54", *inception_v3(0.25, Stem::standard).layer, {2, 107, 107, 3},
             kTowerTolerance);
}

TEST_CASE("parameters have torchvision's names and shapes") {
  const Stage net = inception_v3(1.0, Stem::standard);
  check_names("inception_v3_names.txt", 94 * 5, *net.layer);
  CHECK(trained_values(*net.layer) == 21'785'568);
  CHECK(net.channels == 2048);
}

TEST_CASE("a plan of v3 has the paper's shapes and cost, and keeps nothing for inference") {
  const Stage net = inception_v3(1.0, Stem::standard);
  const TestContext ctx;
  CHECK(net.layer->plan(ctx, {8, 299, 299, 3}, Mode::eval) == matrix(8, 2048));
  CHECK(net.layer->flops() == doctest::Approx(8 * 11.42e9).epsilon(0.001));
  CHECK(net.layer->activation_bytes() == 0);
}

TEST_CASE("the compact stem: shape, cost, and the smallest picture") {
  const Stage tiny = inception_v3(0.25, Stem::compact);
  CHECK(tiny.channels == 512);
  const TestContext ctx;
  CHECK(tiny.layer->plan(ctx, {3, 72, 72, 3}, Mode::train) == matrix(3, 512));
  CHECK(tiny.layer->flops() == doctest::Approx(3 * 0.112e9).epsilon(0.01));
  CHECK_THROWS_AS(tiny.layer->plan(ctx, {3, 20, 20, 3}, Mode::train), Error);  // too small
}

TEST_CASE("inception_v3: a stem that nobody knows is refused") {
  CHECK_THROWS_AS(inception_v3(0.25, static_cast<Stem>(2)), Error);
}
