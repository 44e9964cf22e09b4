#include "layers/inception_v3.h"

#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include <doctest/doctest.h>

#include "core/error.h"
#include "tests/layers/rig.h"

using namespace twinage;
using namespace twinage::test;

namespace {

// float32 against float64, in units of a tensor's typical element. A block is up to five
// convolutions deep and normalises after each one: 2e-6 was measured.
constexpr double kBlockTolerance = 3e-5;
// The tower is 48 convolutions deep and its last maps have few pixels to normalise over: 8e-4
// measured. A gradient that is wrong or lost somewhere is off by 0.1 and more.
constexpr double kTowerTolerance = 5e-3;

// Runs one case of the exporter, with the x it names, and compares everything it stored.
void check_case(const std::string& name, const std::string& x_name, Layer& layer, Shape x,
                double tolerance) {
  const Fixture fixture(name);
  const std::vector<float> x_values = hash_uniform(x_name, x.size());
  if (name.starts_with("tower"))
    fill_away_from_kinks(layer.parameters());
  else
    fill_from_hash(layer.parameters());
  const auto compare = [&](const std::string& what, ConstView got) {
    CAPTURE(name);
    CAPTURE(what);
    const double error = fixture.error(what, got);
    CAPTURE(error);
    CHECK(error <= tolerance);
  };
  {
    Rig rig(layer, x, Mode::eval);
    copy_values(rig.x.view(), x_values);
    rig.forward();
    compare("y_eval", rig.y.view());
    CHECK(rig.guards_intact());
  }
  Rig rig(layer, x, Mode::train);
  copy_values(rig.x.view(), x_values);
  rig.forward();
  rig.backward();
  compare("y", rig.y.view());
  compare("dx", rig.dx.view());
  for (const Parameter* p : layer.parameters())
    p->trained ? compare("grad/" + p->name, p->grad.view())
               : compare("after/" + p->name, p->value.view());
  CHECK(rig.guards_intact());
}

Index trained_values(Layer& layer) {
  Index sum = 0;
  for (const Parameter* p : layer.parameters())
    if (p->trained) sum += p->value.size();
  return sum;
}

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
  check_case("tower_compact", "x22", *inception_v3(0.25, Stem::compact).tower, {2, 72, 72, 3},
             kTowerTolerance);
  check_case("tower_standard", "x54", *inception_v3(0.25, Stem::standard).tower, {2, 107, 107, 3},
             kTowerTolerance);
}

TEST_CASE("parameters have torchvision's names and shapes") {
  std::map<std::string, Shape> expected;
  std::ifstream file(std::filesystem::path(TWINAGE_FIXTURES) / "inception_v3_names.txt");
  for (std::string line; std::getline(file, line);) {
    std::istringstream fields(line);
    std::string name;
    Shape shape{1, 1, 1, 1};
    fields >> name >> shape.n;
    if (!(fields >> shape.c >> shape.h >> shape.w)) shape = vector(shape.n);  // batch norm's
    expected[name] = shape;
  }
  REQUIRE(expected.size() == 94 * 5);

  const InceptionV3 net = inception_v3(1.0, Stem::standard);
  const auto parameters = net.tower->parameters();
  CHECK(parameters.size() == expected.size());
  for (const Parameter* p : parameters) {
    CAPTURE(p->name);
    REQUIRE(expected.count(p->name) == 1);
    CHECK(p->value.shape() == expected[p->name]);
    const bool running = p->name.ends_with("running_mean") || p->name.ends_with("running_var");
    CHECK(p->trained == !running);
    expected.erase(p->name);
  }
  CHECK(expected.empty());
  CHECK(trained_values(*net.tower) == 21'785'568);
  CHECK(net.features == 2048);
}

TEST_CASE("a plan of v3 has the paper's shapes and cost, and keeps nothing for inference") {
  const InceptionV3 net = inception_v3(1.0, Stem::standard);
  const TestContext ctx;
  CHECK(net.tower->plan(ctx, {8, 299, 299, 3}, Mode::eval) == matrix(8, 2048));
  CHECK(net.tower->flops() == doctest::Approx(8 * 11.42e9).epsilon(0.001));
  CHECK(net.tower->activation_bytes() == 0);
}

TEST_CASE("channels are rounded to multiples of 8, ties to even, at least 8") {
  CHECK(scaled_channels(192, 1.0) == 192);
  CHECK(scaled_channels(48, 0.25) == 16);   // 1.5 -> 2
  CHECK(scaled_channels(80, 0.25) == 16);   // 2.5 -> 2
  CHECK(scaled_channels(112, 0.25) == 32);  // 3.5 -> 4
  CHECK(scaled_channels(448, 0.25) == 112);
  CHECK(scaled_channels(32, 0.01) == 8);
}

TEST_CASE("presets: what they are, and what they need") {
  CHECK(preset("v3").input == 299);
  CHECK(preset("small").width == 0.5);
  CHECK(preset("tiny").stem == Stem::compact);
  CHECK(preset("tiny").load == 80);
  CHECK_THROWS_AS(preset("huge"), UsageError);

  const InceptionV3 tiny = inception_v3(0.25, Stem::compact);
  CHECK(tiny.features == 512);
  const TestContext ctx;
  CHECK(tiny.tower->plan(ctx, {3, 72, 72, 3}, Mode::train) == matrix(3, 512));
  CHECK(tiny.tower->flops() == doctest::Approx(3 * 0.112e9).epsilon(0.01));
  CHECK_THROWS_AS(tiny.tower->plan(ctx, {3, 20, 20, 3}, Mode::train), Error);  // too small
}

TEST_CASE("inception_v3: a stem that nobody knows is refused") {
  CHECK_THROWS_AS(inception_v3(0.25, static_cast<Stem>(2)), Error);
}
