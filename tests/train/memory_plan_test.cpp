#include "train/memory_plan.h"

#include <doctest/doctest.h>

#include "core/device_memory.h"
#include "layers/initialize.h"
#include "tests/support/test_device.h"
#include "train/training_step.h"

using namespace twinage;
using namespace twinage::test;

namespace {

// The smallest network that has every block, and one whose parts are split and fused.
const Preset kInception{"narrow", "inception_v3_compact", 65, 67, 0.1};
const Preset kSsr{"narrow", "ssr", 64, 67, 0.5};
constexpr Index kBatch = 4;

Batch some_batch(const Preset& preset) {
  Batch batch;
  batch.ages = {3, 24, 26, 71};
  batch.genders = {0, 1, -1, 1};
  batch.pixels.resize(static_cast<std::size_t>(kBatch * preset.load * preset.load * 3), 100);
  for (std::size_t i = 0; i < batch.pixels.size(); i += 7) batch.pixels[i] = 200;
  for (Index i = 0; i < kBatch; ++i)
    batch.variations.push_back(draw_variation({}, preset.load, preset.input, nullptr));
  return batch;
}

}  // namespace

TEST_CASE("memory_plan: what a training takes is what was planned, and a step no more") {
  for (const Device device : all_devices())
    for (const Preset& preset : {kInception, kSsr}) {
      CAPTURE(to_string(device));
      CAPTURE(preset.backbone);
      const EngineOptions options{.device = {device}, .threads = 2};
      MemoryPlan plan;
      {
        TwinNetwork network(preset);
        plan = plan_memory(Engine(options), network, kBatch);
      }
      const std::size_t before = bytes_in_use(device);
      const auto taken = [&] { return static_cast<Index>(bytes_in_use(device) - before); };
      Engine engine(options);
      TwinNetwork network(preset);
      initialize(network.parameters(), 1);
      AdadeltaOptimizer optimizer(network.place_on(device), network.parameters(), {});
      const FaceInput input(engine, kBatch, preset.load, preset.input);
      engine.plan(network, kBatch, Mode::train);
      CHECK(taken() == plan.total());
      CHECK(engine.workspace_bytes() == plan.workspace());
      CHECK(plan.kept > 0);
      CHECK(plan.shared > 0);

      // A whole step beside it; its images once more, and the losses' labels and numbers.
      const Index images = plan.images;
      Objective objective({}, kBatch, network.width(Task::embedding), device);
      TrainingStep step(engine, network, objective, optimizer, kBatch);
      const Batch batch = some_batch(preset);
      step.plan();
      const Index all = taken();
      CHECK(all >= plan.total() + images);
      CHECK(all <= plan.total() + images + 16 * 1024);
      if (device == Device::simt) continue;  // its steps take long: device_step_test.cpp
      for (int i = 0; i < 2; ++i) {
        step.send(batch);
        step.begin(batch);
        step.loss();
        step.update(1);
        CHECK(taken() == all);
      }
      const Workspace& workspace = *engine.context().workspace;
      CHECK(workspace.peak() == workspace.capacity());
      CHECK(workspace.kept() == 0);
    }
}
