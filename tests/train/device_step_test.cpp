// The whole training step, as the trainer makes it, on two devices: the CUDA kernels (run by the
// host, and on a GPU where there is one) against the CPU's.
#include <cmath>

#include <doctest/doctest.h>

#include "tests/support/test_context.h"
#include "tests/train/device_step_rig.h"

using namespace twinage;
using namespace twinage::test;

namespace {

// Largest difference as a share of the largest magnitude; NaN when either has one.
double relative_difference(const Values& got, const Values& want) {
  const Shape shape = vector(static_cast<Index>(want.size()));
  const ConstView a(got.data(), shape), b(want.data(), shape);
  return largest_error(a, b) / std::max(largest_magnitude(b), 1e-12);
}

// Distances do not change when all embeddings move together: the true gradient of this parameter is
// 0, and what is computed is only rounding.
bool is_only_rounding(const Parameter& p) {
  return p.name == "embedding.bias";
}

void check_values(Run& got, Run& want, double tolerance) {
  const auto ours = got.parameters(), theirs = want.parameters();
  REQUIRE(ours.size() == theirs.size());
  for (std::size_t i = 0; i < ours.size(); ++i) {
    if (is_only_rounding(*ours[i])) continue;
    CAPTURE(ours[i]->name);
    const double difference =
        relative_difference(to_host(ours[i]->value), to_host(theirs[i]->value));
    // A bias starts at 0: what is compared is no value with a small change but the ten changes
    // themselves, each as exact as a gradient.
    const bool from_zero = ours[i]->name.ends_with("bias");
    CHECK(difference <= (from_zero ? 0.2 : tolerance));
  }
}

void check_gradients(Run& got, Run& want, double tolerance) {
  const auto ours = got.parameters(), theirs = want.parameters();
  double magnitude = 0;
  for (std::size_t i = 0; i < ours.size(); ++i) {
    if (!ours[i]->trained) continue;
    CAPTURE(ours[i]->name);
    const Values expected = to_host(theirs[i]->grad);
    if (is_only_rounding(*ours[i])) {
      const Values got_gradient = to_host(ours[i]->grad);
      for (const float g : got_gradient) CHECK(std::fabs(g) <= 1e-5F);
      continue;
    }
    CHECK(relative_difference(to_host(ours[i]->grad), expected) <= tolerance);
    magnitude =
        std::max(magnitude, largest_magnitude(ConstView(expected.data(), theirs[i]->grad.shape())));
  }
  CHECK(magnitude > 1e-3);  // gradients of zero would equal anything
}

// The values that ADADELTA's definition makes of `before` with the run's own gradients. (Its first
// step divides each gradient by its own size: where that is near 0, the rounding of one device
// becomes a whole step of the other, so that values of two devices cannot be compared.)
std::vector<Values> naive_update(const std::vector<Values>& before, Run& run,
                                 const Adadelta& options) {
  std::vector<Values> after = before;
  const auto parameters = run.parameters();
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    if (!parameters[i]->trained) continue;
    const Values gradient = to_host(parameters[i]->grad);
    Values mean_square_gradient(gradient.size()), mean_square_step(gradient.size());
    naive::adadelta(Context(), after[i].data(), mean_square_gradient.data(),
                    mean_square_step.data(), gradient.data(), static_cast<Index>(gradient.size()),
                    options, 1.0F);
  }
  return after;
}

}  // namespace

TEST_CASE("a training step: loss and every gradient equal the CPU's, every update its definition") {
  for (const Device device : gpu_devices()) {
    CAPTURE(to_string(device));
    Run got(device), want(Device::cpu);
    std::vector<Values> before;
    for (const Parameter* p : got.parameters()) before.push_back(to_host(p->value));
    const double loss = want.step();
    CHECK(std::fabs(got.step() - loss) <= 1e-5 * loss);
    // float32 sums in another order, through 22 normalised layers forward and back; the deepest
    // maps have 16 values a channel, so that a small variance enlarges what is left of it.
    check_gradients(got, want, 1e-2);
    const std::vector<Values> expected = naive_update(before, got, Adadelta{});
    const auto parameters = got.parameters();
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      if (!parameters[i]->trained) continue;
      CAPTURE(parameters[i]->name);
      CHECK(relative_difference(to_host(parameters[i]->value), expected[i]) <= 1e-6);
    }
  }
}

TEST_CASE("a training step with a loss of the whole batch and an age head equals the CPU's") {
  ObjectiveOptions options;
  options.heads = {Task::embedding, Task::gender, Task::age};
  options.head[Task::embedding].loss = {"triplet-all"};
  for (const Device device : gpu_devices()) {
    CAPTURE(to_string(device));
    Run got(device, {}, options), want(Device::cpu, {}, options);
    const double loss = want.step();
    CHECK(std::fabs(got.step() - loss) <= 1e-5 * loss);
    check_gradients(got, want, 1e-2);
  }
}

TEST_CASE("a training step with any age head equals the CPU's") {
  ObjectiveOptions options;
  options.heads = {Task::age};
  for (const Device device : gpu_devices())
    for (const char* name :
         {"label-distribution", "mean-variance", "ranking", "regression", "ssr"}) {
      CAPTURE(to_string(device));
      CAPTURE(name);
      options.head[Task::age].loss = {name};
      Run got(device, {}, options), want(Device::cpu, {}, options);
      const double loss = want.step();
      CHECK(std::fabs(got.step() - loss) <= 1e-5 * loss);
      check_gradients(got, want, 1e-2);
    }
}

TEST_CASE("a training step drops the same values as the CPU's, the recorded ones, too") {
  const Preset alexnet{"narrow", "alexnet", 65, 67, 0.1};
  for (const Device device : gpu_devices()) {
    CAPTURE(to_string(device));
    Run got(device, {}, {}, alexnet), want(Device::cpu, {}, {}, alexnet);
    for (int i = 0; i < 3; ++i) {
      const double loss = want.step(1e-6F);
      CHECK(std::fabs(got.step(1e-6F) - loss) <= 1e-4 * loss);
      check_gradients(got, want, 1e-2);
    }
  }
}

TEST_CASE("ten training steps stay together with the CPU's, and the loss falls") {
  // Training is chaotic: with the default steps, the CPU against itself on pixels changed by 1e-6
  // of their value differs by a tenth of the loss after three steps. A large epsilon makes
  // ADADELTA's steps proportional to the gradient, and with a small factor that difference stays
  // below 1e-4.
  Adadelta gentle;
  gentle.epsilon = 1.0F;
  for (const Device device : gpu_devices()) {
    CAPTURE(to_string(device));
    Run got(device, gentle), want(Device::cpu, gentle);
    double losses[10];
    for (int i = 0; i < 10; ++i) {
      const double a = got.step(1e-6F), b = want.step(1e-6F);
      CAPTURE(i);
      CHECK(std::fabs(a - b) <= 1e-3 * std::fabs(b));
      losses[i] = b;
    }
    for (const int batch : {0, 1}) CHECK(losses[8 + batch] < losses[batch]);
    check_values(got, want, 1e-3);
  }
}

TEST_CASE("a device gives the same bits every time") {
  for (const Device device : gpu_devices()) {
    CAPTURE(to_string(device));
    Run once(device), twice(device);
    for (int i = 0; i < 2; ++i) CHECK(once.step() == twice.step());
    const auto a = once.parameters(), b = twice.parameters();
    for (std::size_t i = 0; i < a.size(); ++i) {
      CAPTURE(a[i]->name);
      CHECK(to_host(a[i]->value) == to_host(b[i]->value));
    }
  }
}
