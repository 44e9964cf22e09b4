// A step whose batch is cut into shards, by one process and by several (here threads).
#include <cmath>

#include <doctest/doctest.h>

#include "core/error.h"
#include "core/files.h"
#include "layers/initialize.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/thread_ranks.h"
#include "train/training_step.h"

namespace twinage {
namespace {

constexpr Index kBatch = 10;

ObjectiveOptions three_heads() {
  ObjectiveOptions options;
  options.heads = {Task::embedding, Task::gender, Task::age};
  options.head[Task::age].loss = {"ranking"};
  return options;
}

// The faces of a batch, from `first` on.
Batch faces(const Preset& preset, Index first, Index count) {
  Batch batch;
  batch.step = 5;
  Random random(8);
  for (Index i = 0; i < kBatch; ++i) {
    batch.ages.push_back(static_cast<float>(7 * i));
    batch.genders.push_back(static_cast<std::int32_t>(i % 3) - 1);
    std::vector<std::uint8_t> pixels;
    for (Index p = 0; p < preset.load * preset.load * 3; ++p)
      pixels.push_back(static_cast<std::uint8_t>(random.bits() & 0xFF));
    const ImageVariation variation =
        draw_variation({.rotation = 5}, preset.load, preset.input, &random);
    if (i < first || i >= first + count) continue;
    batch.pixels.insert(batch.pixels.end(), pixels.begin(), pixels.end());
    batch.variations.push_back(variation);
  }
  return batch;
}

struct Result {
  double loss = 0;
  std::vector<float> gradients, values, statistics;
};

std::vector<float> floats_of(const Tensor& tensor) {
  return {tensor.data(), tensor.data() + tensor.size()};
}

Result step_of(const Preset& preset, const Shards& shards, int threads) {
  const ObjectiveOptions options = three_heads();
  Engine engine({Device::cpu, threads});
  TwinNetwork network(preset, options.heads, head_forms(options, 16));
  ParameterArena& arena = network.place_on(Device::cpu);
  AdadeltaOptimizer optimizer(arena, network.parameters(), {});
  Objective objective(options, kBatch, 16);
  TrainingStep step(engine, network, objective, optimizer, shards, 3);
  initialize(network.parameters(), 7);
  step.plan();
  const Batch batch = faces(preset, shards.first_image(), shards.images());
  step.send(batch);
  step.begin(batch);
  Result result{step.loss().total, floats_of(arena.gradients()), {}, floats_of(arena.statistics())};
  step.update(1);
  result.values = floats_of(arena.values());
  return result;
}

// After three steps: the weights, and of the first rank the file with the optimizer's state.
struct Trained {
  std::vector<float> values;
  std::string state;
  bool operator==(const Trained&) const = default;
};

enum class Optimizer { whole, shared_out };

// began_with: a file of the optimizer's state to load first.
Trained trained(const Preset& preset, const Shards& shards, Optimizer optimizers,
                const std::string& began_with = "") {
  const ObjectiveOptions options = three_heads();
  const test::TemporaryFolder folder;
  Engine engine({Device::cpu, 1});
  TwinNetwork network(preset, options.heads, head_forms(options, 16));
  ParameterArena& arena = network.place_on(Device::cpu);
  AdadeltaOptimizer optimizer(arena, network.parameters(), {});
  optimizer.slow_down(20, 0.25);
  Objective objective(options, kBatch, 16);
  TrainingStep step(engine, network, objective, optimizer, shards, 3);
  if (optimizers == Optimizer::shared_out) step.share_out_optimizer();
  if (!began_with.empty()) {
    write_file_atomically(folder / "before", began_with);
    optimizer.load(SafetensorsFile::open(folder / "before"));
  }
  initialize(network.parameters(), 7);
  step.plan();
  const Batch batch = faces(preset, shards.first_image(), shards.images());
  for (int i = 0; i < 3; ++i) {
    step.send(batch);
    step.begin(batch);
    step.loss();
    step.update(1);
  }
  step.collect_optimizer();
  Trained result{floats_of(arena.values()), ""};
  if (shards.ranks() != nullptr && shards.ranks()->rank() > 0) return result;
  SafetensorsWriter writer;
  optimizer.save(writer);
  writer.write(folder / "state");
  result.state = read_text_file(folder / "state");
  return result;
}

Result step_of_ranks(const Preset& preset, Index shards, int size, int threads) {
  std::vector<Result> results(static_cast<std::size_t>(size));
  test::ThreadRanks(size).run([&](Communicator& ranks) {
    results[static_cast<std::size_t>(ranks.rank())] =
        step_of(preset, Shards(kBatch, shards, &ranks), threads);
  });
  for (const Result& other : results) {
    CHECK(other.loss == results[0].loss);
    CHECK(other.values == results[0].values);
  }
  return results[0];
}

double distance(const std::vector<float>& a, const std::vector<float>& b) {
  double squares = 0, all = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    squares += std::pow(static_cast<double>(a[i]) - static_cast<double>(b[i]), 2);
    all += std::pow(static_cast<double>(b[i]), 2);
  }
  return a.empty() ? 0 : std::sqrt(squares / all);
}

// Every kind of layer with weights: with a norm behind, with a norm in front, without any.
const Preset kPresets[] = {
    {"narrow", "inception_v3_compact", 65, 67, 0.1},
    {"narrow", "alexnet", 65, 67, 0.1},
    {"narrow", "mobilenet", 64, 66, 0.25},
    {"narrow", "densenet121", 64, 66, 0.25},
};

TEST_CASE("sharded step: cut into shards, a step differs in its last bits only") {
  for (const Preset& preset : kPresets) {
    CAPTURE(preset.backbone);
    const Result whole = step_of(preset, kBatch, 2);
    CHECK(whole.loss > 0);
    for (const Index shards : {2, 3, 10}) {
      CAPTURE(shards);
      const Result cut = step_of(preset, Shards(kBatch, shards), 2);
      CHECK(std::fabs(cut.loss - whole.loss) <= 1e-5 * whole.loss);
      // Sums in another order, magnified by up to a hundred norms over ten faces that are noise,
      // and a ReLU may open that was shut. tests/layers/shard_sums_test.cpp looks at each layer
      // closely.
      CHECK(distance(cut.gradients, whole.gradients) <= 0.03);
      CHECK(distance(cut.statistics, whole.statistics) <= 1e-5);
    }
  }
}

TEST_CASE("sharded step: the same bits for any number of ranks and threads") {
  for (const Preset& preset : kPresets) {
    CAPTURE(preset.backbone);
    const Result alone = step_of(preset, Shards(kBatch, 5), 2);
    for (const int size : {2, 3, 5}) {
      CAPTURE(size);
      const Result together = step_of_ranks(preset, 5, size, 1);
      CHECK(together.loss == alone.loss);
      CHECK(together.gradients == alone.gradients);
      CHECK(together.values == alone.values);
      CHECK(together.statistics == alone.statistics);
    }
  }
}

TEST_CASE("sharded step: each rank with its part of the optimizer's state, and the same bits") {
  for (const Preset& preset : {kPresets[0], kPresets[3]}) {
    CAPTURE(preset.backbone);
    const Trained alone = trained(preset, Shards(kBatch, 5), Optimizer::whole);
    const Trained further = trained(preset, Shards(kBatch, 5), Optimizer::whole, alone.state);
    CHECK(further.values != alone.values);
    for (const int size : {2, 5}) {
      CAPTURE(size);
      std::vector<Trained> all(static_cast<std::size_t>(size)), more = all;
      test::ThreadRanks(size).run([&](Communicator& ranks) {
        const auto r = static_cast<std::size_t>(ranks.rank());
        const Shards shards(kBatch, 5, &ranks);
        all[r] = trained(preset, shards, Optimizer::shared_out);
        more[r] = trained(preset, shards, Optimizer::shared_out, alone.state);
      });
      CHECK(all[0] == alone);
      CHECK(more[0] == further);
      for (const Trained& other : all) CHECK(other.values == alone.values);
    }
  }
}

TEST_CASE("sharded step: a shared-out optimizer is not saved before its parts are together") {
  const ObjectiveOptions options = three_heads();
  TwinNetwork network(kPresets[0], options.heads, head_forms(options, 16));
  AdadeltaOptimizer optimizer(network.place_on(Device::cpu), network.parameters(), {});
  optimizer.keep_only({{0, 16}});
  SafetensorsWriter writer;
  CHECK_THROWS_WITH_AS(optimizer.save(writer), doctest::Contains("collect()"), Error);
}

}  // namespace
}  // namespace twinage
