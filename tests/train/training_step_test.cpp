// A training step takes all of its memory before the first one (core/workspace.h): here every
// allocation of this program is counted. Not under ThreadSanitizer, whose runtime defines operator
// new itself.
#include "kernels/simt/sanitizers.h"

#if !defined(TWINAGE_TSAN)
#include <atomic>
#include <cstdlib>
#include <new>

#include <doctest/doctest.h>

#include "layers/initialize.h"
#include "train/training_step.h"

using namespace twinage;

namespace {

std::atomic<std::uint64_t> allocations{0};

void* counted(std::size_t bytes, std::size_t alignment) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  const std::size_t whole = (bytes + alignment) / alignment * alignment;
  if (void* block = std::aligned_alloc(alignment, whole)) return block;
  throw std::bad_alloc();
}

constexpr std::size_t kAlignment = alignof(std::max_align_t);

// The smallest network that has every block.
const Preset kPreset{"narrow", "inception_v3_compact", 65, 67, 0.1};
const Preset kWithDropout{"narrow", "alexnet", 65, 67, 0.1};
constexpr Index kBatch = 4, kWidth = 16;

Batch some_batch() {
  Batch batch;
  batch.ages = {3, 24, 26, 71};
  batch.genders = {0, 1, -1, 1};
  Random random(8);
  for (Index i = 0; i < kBatch * kPreset.load * kPreset.load * 3; ++i)
    batch.pixels.push_back(static_cast<std::uint8_t>(random.bits() & 0xFF));
  for (Index i = 0; i < kBatch; ++i)
    batch.variations.push_back(draw_variation({.rotation = 5, .saturation = 0.2F, .erase = 0.5F},
                                              kPreset.load, kPreset.input, &random));
  return batch;
}

}  // namespace

// The array forms end in these.
void* operator new(std::size_t bytes) {
  return counted(bytes, kAlignment);
}
void* operator new(std::size_t bytes, std::align_val_t alignment) {
  return counted(bytes, static_cast<std::size_t>(alignment));
}
// The standard library's temporary buffers (std::stable_sort) ask in this form.
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept {
  try {
    return counted(bytes, kAlignment);
  } catch (...) {
    return nullptr;
  }
}
void operator delete(void* block) noexcept {
  std::free(block);
}
void operator delete(void* block, std::size_t) noexcept {
  std::free(block);
}
void operator delete(void* block, std::align_val_t) noexcept {
  std::free(block);
}
void operator delete(void* block, std::size_t, std::align_val_t) noexcept {
  std::free(block);
}

TEST_CASE("training step: after the first one, a step allocates nothing") {
  ObjectiveOptions sampled, three_heads;
  sampled.loss.pairs = PairMode::sampled;
  three_heads.heads = {Task::embedding, Task::gender, Task::age};
  three_heads.head[Task::embedding].loss = {"triplet-all"};
  std::vector<ObjectiveOptions> objectives{{}, sampled};
  for (const std::string& name : loss_names(Task::age)) {
    objectives.push_back(three_heads);
    objectives.back().head[Task::age].loss = {name};
  }
  const Batch batch = some_batch();
  for (const Preset& preset : {kPreset, kWithDropout})
    for (const ObjectiveOptions& options : objectives) {
      CAPTURE(preset.name);
      CAPTURE(options.head[Task::embedding].loss.name);
      CAPTURE(options.head[Task::age].loss.name);
      Engine engine({Device::cpu, 2});
      TwinNetwork network(preset, options.heads, head_forms(options, kWidth));
      AdadeltaOptimizer optimizer(network.place_on(Device::cpu), network.parameters(), {});
      Objective objective(options, kBatch, kWidth);
      TrainingStep step(engine, network, objective, optimizer, kBatch);
      initialize(network.parameters(), 7);
      step.plan();
      const auto one_step = [&] {
        step.send(batch);
        step.begin(batch);
        const double loss = step.loss().total;
        step.update(1);
        return loss;
      };
      one_step();  // threads start, and each keeps a row of pixels
      const std::uint64_t before = allocations;
      const double loss = one_step();
      const std::uint64_t during = allocations - before;
      CHECK(during == 0);
      CHECK(loss > 0);
      CHECK(before > 0);  // the counter counts
    }
}

TEST_CASE(
    "training step: what is random in the network depends on seed and step, not on the past") {
  const auto loss_of = [](std::uint64_t seed, std::uint64_t step_number) {
    Engine engine({Device::cpu, 2});
    TwinNetwork network(kWithDropout, kWidth);
    AdadeltaOptimizer optimizer(network.place_on(Device::cpu), network.parameters(), {});
    Objective objective({}, kBatch, kWidth);
    TrainingStep step(engine, network, objective, optimizer, kBatch, seed);
    initialize(network.parameters(), 7);
    step.plan();
    Batch batch = some_batch();
    batch.step = step_number;
    step.send(batch);
    step.begin(batch);
    return step.loss().total;
  };
  CHECK(loss_of(1, 5) == loss_of(1, 5));
  CHECK(loss_of(1, 5) != loss_of(1, 6));
  CHECK(loss_of(1, 5) != loss_of(2, 5));
}

#endif
