// The whole training step, kernel after kernel, on two devices: the CUDA kernels (run by the host,
// and on a GPU where there is one) against the CPU's.
#include <cmath>

#include <doctest/doctest.h>

#include "core/cuda_runtime.h"
#include "core/device_memory.h"
#include "layers/initialize.h"
#include "siamese/objective.h"
#include "tests/support/test_context.h"
#include "train/engine.h"
#include "train/optimizer.h"

using namespace twinage;
using namespace twinage::test;

namespace {

// A narrower `tiny`: every block of the tower, at a size that the host can run thread by thread.
const Preset kPreset{"narrow", 65, 65, 0.1, Stem::compact};
constexpr Index kBatch = 4, kWidth = 16;
const std::vector<float> kAges{3, 24, 26, 71};
const std::vector<std::int32_t> kGenders{0, 1, -1, 1};

using Values = std::vector<float>;

Values to_host(const Tensor& tensor) {
  Values values(static_cast<std::size_t>(tensor.size()));
  tensor.copy_to(values.data(), tensor.size());
  return values;
}

// A network that trains on the same four random pictures.
class Run {
 public:
  explicit Run(Device device)
      : engine_(device, 2),
        network_(kPreset, kWidth),
        optimizer_(network_.place_on(device), network_.parameters(), Adadelta{}),
        objective_(ObjectiveOptions{}, kBatch, kWidth, device),
        images_({kBatch, kPreset.input, kPreset.input, 3}, device) {
    initialize(network_.parameters(), 7);
    engine_.plan(network_, kBatch, Mode::train);
    Random random(8);
    Values pixels(static_cast<std::size_t>(images_.size()));
    for (float& value : pixels) value = static_cast<float>(random.uniform(-1.5, 1.5));
    images_.copy_from(pixels.data(), images_.size());
  }

  double step() {
    const Context& ctx = engine_.context();
    const ConstView images = std::as_const(images_).view();
    network_.zero_gradients(ctx);
    const auto outputs = network_.forward(ctx, images, Mode::train);
    const double loss = objective_.evaluate(ctx, outputs, kAges, kGenders).total;
    network_.backward(ctx, images, objective_.dz(), objective_.dgender());
    optimizer_.step(ctx, 1.0F);
    return loss;
  }

  std::vector<Parameter*> parameters() { return network_.parameters(); }

 private:
  Engine engine_;
  TwinNetwork network_;
  AdadeltaOptimizer optimizer_;
  Objective objective_;
  Tensor images_;
};

std::vector<Device> gpu_devices() {
  std::vector<Device> devices{Device::simt};
  if (cuda_problem().empty())
    devices.push_back(Device::cuda);
  else
    MESSAGE("device cuda was not tested: ", cuda_problem());
  return devices;
}

// Largest difference as a share of the largest magnitude; NaN when either has one.
double relative_difference(const Values& got, const Values& want) {
  const Shape shape = vector(static_cast<Index>(want.size()));
  const ConstView a(got.data(), shape), b(want.data(), shape);
  return largest_error(a, b) / std::max(largest_magnitude(b), 1e-12);
}

void check_equal(Run& got, Run& want, double tolerance, bool gradients) {
  const auto ours = got.parameters(), theirs = want.parameters();
  REQUIRE(ours.size() == theirs.size());
  double magnitude = 0;
  for (std::size_t i = 0; i < ours.size(); ++i) {
    CAPTURE(ours[i]->name);
    CHECK_FALSE(
        !(relative_difference(to_host(ours[i]->value), to_host(theirs[i]->value)) <= tolerance));
    if (!gradients || !ours[i]->trained) continue;
    const Values want_gradient = to_host(theirs[i]->grad);
    CHECK_FALSE(!(relative_difference(to_host(ours[i]->grad), want_gradient) <= tolerance));
    magnitude = std::max(
        magnitude, largest_magnitude(ConstView(want_gradient.data(), theirs[i]->grad.shape())));
  }
  if (gradients) CHECK(magnitude > 1e-3);  // gradients of zero would equal anything
}

}  // namespace

TEST_CASE("a training step: loss, every gradient and every updated parameter equal the CPU's") {
  for (const Device device : gpu_devices()) {
    CAPTURE(to_string(device));
    Run got(device), want(Device::cpu);
    const double loss = want.step();
    CHECK(std::fabs(got.step() - loss) <= 1e-5 * loss);
    // Rounding of some hundred thousand terms through 22 normalised layers, forward and back.
    check_equal(got, want, 2e-3, true);
  }
}

TEST_CASE("ten training steps stay together with the CPU's, and the loss falls") {
  for (const Device device : gpu_devices()) {
    CAPTURE(to_string(device));
    Run got(device), want(Device::cpu);
    double first = 0, last = 0;
    for (int i = 0; i < 10; ++i) {
      const double a = got.step(), b = want.step();
      CAPTURE(i);
      CHECK(std::fabs(a - b) <= 5e-3 * std::fabs(b));
      if (i == 0) first = b;
      last = b;
    }
    CHECK(last < first);
    check_equal(got, want, 2e-2, false);
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
