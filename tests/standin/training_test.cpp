// Whole training steps of device cuda, as the trainer makes them, on the stand-in: recorded,
// replayed, with the next batch on its way.
#include "kernels/elementwise/elementwise.h"
#include "tests/standin/faults.h"
#include "tests/train/device_step_rig.h"
#include "train/model/face_input.h"

using namespace twinage;
using namespace twinage::test;
using standin::When;

namespace {

struct Result {
  std::vector<double> losses;
  std::vector<Values> values;
  bool operator==(const Result&) const = default;
};

// Five steps: one that is not recorded, one that is, a replay, and two more after a validation,
// when the memory that was recorded is another.
Result train(Device device) {
  Run run(device);
  Result result;
  for (int i = 0; i < 5; ++i) {
    if (i == 3) run.plan_something_else();
    result.losses.push_back(run.step());
  }
  for (const Parameter* p : run.parameters()) result.values.push_back(to_host(p->value));
  return result;
}

}  // namespace

TEST_CASE("standin: training on device cuda gives the bits of device simt, whatever the order") {
  struct Way {
    When when;
    std::uint64_t seed;
  };
  const std::uint64_t replayed = standin::counts().replayed;
  std::vector<Result> results;
  for (const Way way : {Way{When::late, 1}, {When::eager, 1}, {When::shuffled, 2}}) {
    const WithOptions options(way.when, way.seed);
    results.push_back(train(Device::cuda));
  }
  CHECK(standin::counts().replayed > replayed + 1000);
  const Result simt = train(Device::simt);
  for (const Result& result : results) CHECK(result == simt);
}

namespace {

// Three batches of faces with nothing in between that the host waits for: each on its way while
// the one before it becomes images.
std::vector<Values> images_of(Device device) {
  const std::vector<Batch> batches = two_batches();
  const Engine engine({device, 1});
  FaceInput input(engine, kBatch, kPreset.load, kPreset.input);
  std::vector<Tensor> images;
  for (int i = 0; i < 3; ++i) images.emplace_back(input.images().shape, device);
  input.send(batches[0].pixels, batches[0].variations);
  for (std::size_t i = 0; i < images.size(); ++i) {
    input.receive();
    const Batch& next = batches[(i + 1) % 2];
    // A GPU has its copy; simt's come from the batch itself.
    if (device == Device::cuda) input.send(next.pixels, next.variations);
    input.normalize();
    copy(engine.context(), images[i].view(), input.images());
    if (device != Device::cuda) input.send(next.pixels, next.variations);
  }
  std::vector<Values> values;
  for (const Tensor& image : images) values.push_back(to_host(image));
  return values;
}

}  // namespace

TEST_CASE("standin: faces arrive while others are worked on, each in its place") {
  const std::vector<Values> simt = images_of(Device::simt);
  for (const When when : {When::late, When::eager, When::shuffled}) {
    const WithOptions options(when);
    CHECK(images_of(Device::cuda) == simt);
  }
}
