#include "siamese/twin_network.h"

#include <algorithm>
#include <cmath>
#include <set>

#include <doctest/doctest.h>

#include "core/error.h"
#include "layers/description.h"
#include "layers/initialize.h"
#include "tests/support/test_context.h"

using namespace twinage;
using namespace twinage::test;

namespace {

// Small, for speed: the last maps have 2 x 2 pixels.
const Preset kPreset{"test", "inception_v3_compact", 65, 65, 0.1};
constexpr Index kWidth = 6;

Shape images_shape(Index batch) {
  return {batch, kPreset.input, kPreset.input, 3};
}

std::vector<float> values_of(ConstView dense) {
  return {dense.data, dense.data + dense.shape.size()};
}

struct Step {
  std::vector<float> z, logits;
  std::vector<std::vector<float>> gradients;
};

// Forward and backward on given upstream gradients, from zero gradients.
Step step(TwinNetwork& net, Index batch, float dz_scale, float dgender_scale, int threads = 2) {
  Random random(3);
  GuardedTensor images(images_shape(batch)), dz(matrix(batch, kWidth)), dgender(matrix(batch, 2));
  images.fill_uniform(random);
  dz.fill_uniform(random, -dz_scale, dz_scale);
  dgender.fill_uniform(random, -dgender_scale, dgender_scale);

  net.plan(TestContext(0, threads), batch, Mode::train);
  net.zero_gradients(TestContext());
  TestContext ctx(net.workspace(), threads);
  const auto outputs = net.forward(ctx, images.view(), Mode::train);
  CHECK(outputs[Task::embedding].shape == matrix(batch, kWidth));
  CHECK(outputs[Task::gender].shape == matrix(batch, 2));
  Step result;
  result.z = values_of(outputs[Task::embedding]);
  result.logits = values_of(outputs[Task::gender]);
  ctx.poison();
  net.backward(ctx, images.view(), {{dz.view(), dgender.view(), ConstView()}});
  for (const Parameter* p : net.parameters())
    if (p->trained) result.gradients.emplace_back(p->grad.data(), p->grad.data() + p->grad.size());
  return result;
}

double largest(const std::vector<float>& values) {
  return largest_magnitude(ConstView(values.data(), vector(static_cast<Index>(values.size()))));
}

}  // namespace

TEST_CASE("the towers' names are torchvision's, the heads' have their own prefix") {
  TwinNetwork net(kPreset, kWidth);
  std::set<std::string> names;
  for (const Parameter* p : net.parameters()) names.insert(p->name);
  CHECK(names.size() == net.parameters().size());
  for (const char* name : {"Conv2d_1a_3x3.conv.weight", "Mixed_7c.branch_pool.bn.running_var",
                           "embedding.weight", "embedding.bias", "gender.weight", "gender.bias"})
    CHECK(names.count(name) == 1);
  CHECK(net.width(Task::embedding) == kWidth);
  CHECK(net.preset().name == "test");
}

TEST_CASE("both heads send their gradient through the one tower") {
  TwinNetwork net(kPreset, kWidth);
  initialize(net.parameters(), 1);
  const Step z_only = step(net, 4, 1, 0), gender_only = step(net, 4, 0, 1),
             both = step(net, 4, 1, 1);
  REQUIRE(both.gradients.size() == z_only.gradients.size());
  std::size_t tower_tensors = 0;
  for (std::size_t i = 0; i + 4 < both.gradients.size(); ++i, ++tower_tensors) {
    const auto &a = z_only.gradients[i], &b = gender_only.gradients[i], &sum = both.gradients[i];
    // dz and dgender are the same numbers in all three, so gradients add up.
    double worst = 0;
    for (std::size_t k = 0; k < sum.size(); ++k)
      worst = std::max(worst, std::fabs(static_cast<double>(a[k]) + static_cast<double>(b[k]) -
                                        static_cast<double>(sum[k])));
    CHECK(worst <= 1e-3 * largest(sum));
    CHECK(largest(a) > 0);
    CHECK(largest(b) > 0);
  }
  CHECK(tower_tensors == 94 * 3);
}

TEST_CASE("the heads' gradients are the upstream ones'") {
  TwinNetwork net(kPreset, kWidth);
  initialize(net.parameters(), 1);
  const Step s = step(net, 3, 1, 0);
  // The bias of the embedding collects dz over the batch; the gender head got nothing.
  Random random(3);
  GuardedTensor images(images_shape(3)), dz(matrix(3, kWidth));
  images.fill_uniform(random);
  dz.fill_uniform(random);
  const auto& bias = s.gradients[s.gradients.size() - 3];
  REQUIRE(bias.size() == kWidth);
  for (Index c = 0; c < kWidth; ++c) {
    float sum = 0;
    for (Index n = 0; n < 3; ++n) sum += dz.view().pixel(n)[c];
    CHECK(bias[static_cast<std::size_t>(c)] == doctest::Approx(sum).epsilon(1e-5));
  }
  CHECK(largest(s.gradients[s.gradients.size() - 2]) == 0);
  CHECK(largest(s.gradients.back()) == 0);
}

TEST_CASE("a step has the same bits for any number of threads") {
  Step results[2];
  for (const int threads : {1, 2}) {
    TwinNetwork net(kPreset, kWidth);
    initialize(net.parameters(), 1);
    results[threads - 1] = step(net, 3, 1, 1, threads);
  }
  CHECK(results[0].z == results[1].z);
  CHECK(results[0].logits == results[1].logits);
  CHECK(results[0].gradients == results[1].gradients);
}

TEST_CASE("inference reads a face alike, alone or in a batch") {
  TwinNetwork net(kPreset, kWidth);
  initialize(net.parameters(), 1);
  Random random(5);
  GuardedTensor images(images_shape(3));
  images.fill_uniform(random);
  const auto run = [&](ConstView faces) {
    net.plan(TestContext(), faces.shape.n, Mode::eval);
    const ConstView z =
        net.forward(TestContext(net.workspace()), faces, Mode::eval)[Task::embedding];
    return values_of(z);
  };
  const std::vector<float> together = run(images.view());
  CHECK(net.activation_bytes() > 0);  // the outputs
  const std::vector<float> alone = run(images.view().images(1, 1));
  for (std::size_t c = 0; c < kWidth; ++c)
    CHECK(alone[c] == doctest::Approx(together[kWidth + c]).epsilon(1e-4));
  CHECK(largest(alone) > 1e-3);

  GuardedTensor wrong({1, 64, 65, 3});
  CHECK_THROWS_AS(net.forward(TestContext(net.workspace()), wrong.view(), Mode::eval), Error);
}

TEST_CASE("prepared for many passes, inference has the same bits, until it is planned anew") {
  const Preset alexnet{"test", "alexnet_bn", 67, 67, 0.1};
  for (const Preset& preset : {kPreset, alexnet})
    for (const Math math : {Math::fp32, Math::bf16}) {
      if (math == Math::bf16 && test_device() != Device::cpu) continue;
      CAPTURE(preset.backbone);
      CAPTURE(to_string(math));
      TwinNetwork net(preset, kWidth);
      initialize(net.parameters(), 1);
      net.plan(TestContext(), 2, Mode::eval);
      const TestContext memory(net.workspace());
      Context ctx = memory.get();
      ctx.math = math;
      Random random(5);
      GuardedTensor images({2, preset.input, preset.input, 3});
      images.fill_uniform(random);
      const auto plan = [&] {
        ctx.workspace->release();
        net.plan(ctx, 2, Mode::eval);
      };
      const auto run = [&] {
        return values_of(net.forward(ctx, images.view(), Mode::eval)[Task::embedding]);
      };
      plan();
      const std::vector<float> fresh = run();
      CHECK(largest(fresh) > 1e-3);
      net.prepare(ctx);
      CHECK(run() == fresh);
      CHECK(run() == fresh);  // the first pass has not written over what was prepared
      Tensor& filter = net.parameters()[0]->value;
      filter.fill(0.01F);
      CHECK(run() == fresh);  // what was prepared does not see it
      net.prepare(ctx);
      const std::vector<float> other = run();
      CHECK(other != fresh);
      plan();
      CHECK(run() == other);
      net.prepare(ctx);
      ctx.math = math == Math::fp32 ? Math::bf16 : Math::fp32;
      if (test_device() == Device::cpu)
        CHECK_THROWS_WITH_AS(run(), doctest::Contains("the arithmetic it was prepared for"), Error);
    }
}

TEST_CASE("a network that reads faces first and is trained then steps as one that never did") {
  TwinNetwork reader(kPreset, kWidth), other(kPreset, kWidth);
  for (TwinNetwork* net : {&reader, &other}) initialize(net->parameters(), 1);
  GuardedTensor images(images_shape(3));
  Random random(7);
  images.fill_uniform(random);
  reader.plan(TestContext(0), 3, Mode::eval);
  (void)reader.forward(TestContext(reader.workspace()), images.view(), Mode::eval);
  const Step a = step(reader, 3, 1, 1), b = step(other, 3, 1, 1);
  CHECK(a.z == b.z);
  CHECK(a.gradients == b.gradients);
}

TEST_CASE("a network has the heads of its list, and its tower's weights do not depend on them") {
  TwinNetwork two(kPreset, kWidth), ages(kPreset, kWidth, {Task::gender, Task::age});
  CHECK(two.has(Task::embedding));
  CHECK_FALSE(two.has(Task::age));
  CHECK(two.width(Task::age) == 0);
  CHECK_FALSE(ages.has(Task::embedding));
  CHECK(ages.width(Task::age) == kAges);
  CHECK(ages.parameters().back()->name == "age.bias");
  CHECK(ages.parameters().back()->value.size() == kAges);
  initialize(two.parameters(), 5);
  initialize(ages.parameters(), 5);
  CHECK(bitwise_equal(two.parameters()[0]->value.view(), ages.parameters()[0]->value.view()));
  CHECK_THROWS_AS(TwinNetwork(kPreset, kWidth, {}), Error);
}

TEST_CASE("heads add their gradients in the tower, whichever there are") {
  Random random(3);
  GuardedTensor images(images_shape(3)), dgender(matrix(3, kGenders)), dage(matrix(3, kAges));
  images.fill_uniform(random);
  dgender.fill_uniform(random);
  dage.fill_uniform(random);
  const auto gradients_of = [&](const Heads& heads) {
    TwinNetwork net(kPreset, kWidth, heads);
    initialize(net.parameters(), 1);
    net.plan(TestContext(), 3, Mode::train);
    net.zero_gradients(TestContext());
    const TestContext ctx(net.workspace());
    const auto outputs = net.forward(ctx, images.view(), Mode::train);
    CHECK((outputs[Task::age].data != nullptr) == net.has(Task::age));
    net.backward(ctx, images.view(), {{ConstView(), dgender.view(), dage.view()}});
    return values_of(net.parameters()[0]->grad.view());
  };
  const auto a = gradients_of({Task::gender}), b = gradients_of({Task::age}),
             both = gradients_of({Task::gender, Task::age});
  CHECK(largest(a) > 0);
  CHECK(largest(b) > 0);
  double worst = 0;
  for (std::size_t i = 0; i < both.size(); ++i)
    worst = std::max(worst, std::fabs(static_cast<double>(a[i]) + static_cast<double>(b[i]) -
                                      static_cast<double>(both[i])));
  CHECK(worst <= 1e-3 * largest(both));
}

TEST_CASE("the workspace is enough for a head that is far wider than the tower") {
  constexpr Index kWide = 8000;
  TwinNetwork net(kPreset, kWide, {Task::embedding}), narrow(kPreset, 1, {Task::embedding});
  initialize(net.parameters(), 1);
  const GuardedTensor images(images_shape(1));
  net.plan(TestContext(), 1, Mode::eval);
  narrow.plan(TestContext(), 1, Mode::eval);
  CHECK(net.workspace() > narrow.workspace());
  const auto outputs = net.forward(TestContext(net.workspace()), images.view(), Mode::eval);
  CHECK(outputs[Task::embedding].shape == matrix(1, kWide));
}

TEST_CASE("embeddings lie on a sphere where a radius is given; their head keeps its names") {
  TwinNetwork net(kPreset, kWidth, kPaperHeads, 1.5);
  initialize(net.parameters(), 1);
  GuardedTensor images(images_shape(2));
  Random random(7);
  images.fill_uniform(random);
  net.plan(TestContext(), 2, Mode::eval);
  const TestContext ctx(net.workspace());
  const ConstView z = net.forward(ctx, images.view(), Mode::eval)[Task::embedding];
  REQUIRE(z.shape == matrix(2, kWidth));
  for (Index n = 0; n < 2; ++n) {
    double square = 0;
    for (Index c = 0; c < kWidth; ++c) square += std::pow(static_cast<double>(z.pixel(n)[c]), 2);
    CHECK(std::sqrt(square) == doctest::Approx(1.5).epsilon(1e-5));
  }
  std::set<std::string> names;
  for (const Parameter* p : net.parameters()) names.insert(p->name);
  CHECK(names.count("embedding.weight") == 1);
}

TEST_CASE("a network's description: the tower, then the heads, with the network's sums") {
  TwinNetwork net(kPreset, kWidth, {Task::embedding, Task::gender, Task::age});
  net.plan(TestContext(), 2, Mode::train);
  const LayerDescription whole = net.describe();
  REQUIRE(whole.parts.size() == 2);
  CHECK(whole.parts[1].kind == "heads");
  REQUIRE(whole.parts[1].parts.size() == 3);
  CHECK(whole.parts[1].parts[2].name == "age");
  CHECK(whole.x == images_shape(2));
  CHECK(whole.y == matrix(2, kWidth + kGenders + kAges));
  double flops = 0;
  Index bytes = 0;
  std::size_t parameters = 0;
  for_each_part(whole, [&](const LayerDescription& part) {
    flops += part.flops;
    bytes += part.activation_bytes;
    parameters += part.parameters.size();
  });
  CHECK(flops == doctest::Approx(net.flops()).epsilon(1e-12));
  CHECK(bytes == net.activation_bytes());
  CHECK(parameters == net.parameters().size());
}
