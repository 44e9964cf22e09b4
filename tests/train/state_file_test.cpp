#include "train/state_file.h"

#include <cstring>

#include <doctest/doctest.h>

#include "core/error.h"
#include "layers/initialize.h"
#include "siamese/twin_network.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/test_context.h"

using namespace twinage;
using twinage::test::TemporaryFolder;

namespace {

// A network, its optimizer, the copy of its best weights and their average.
struct Rig {
  explicit Rig(std::uint64_t seed)
      : network(Preset{"test", "inception_v3_compact", 65, 65, 0.1}, 4),
        optimizer(network.place_on(Device::cpu), network.parameters(), {}),
        average(network.place_on(Device::cpu), network.parameters(), 0.5) {
    initialize(network.parameters(), seed);
    config.steps = 9;
  }
  RunWeights weights() { return {network.parameters(), optimizer, best, average}; }

  TwinNetwork network;
  AdadeltaOptimizer optimizer;
  WeightsAverage average;
  WeightsCopy best;
  TrainConfig config;
};

std::vector<Face> some_faces() {
  std::vector<Face> faces(3);
  for (std::size_t i = 0; i < faces.size(); ++i) faces[i].path = fmt::format("{}.png", i);
  return faces;
}

RunState some_state() {
  RunState state;
  state.step = 7;
  state.last_validation = 6;
  state.best_step = 5;
  state.best_mae = 4.25;
  state.seconds = 81.5;
  state.validated_at = 70.25;
  state.validation_pending = true;
  return state;
}

}  // namespace

TEST_CASE("a state gives back where the run is, the weights and the best of them") {
  const TemporaryFolder folder;
  const RunDirectory directory(folder.path());
  const test::TestContext ctx;
  Rig here(1), there(2);
  here.best.take(there.network.parameters());
  save_state(directory, some_state(), here.config, ctx, some_faces(), here.weights());
  Rig read(3);
  const RunState state = load_state(directory, here.config, ctx, some_faces(), read.weights());
  CHECK(state.same_place(some_state()));
  CHECK(state.best_step == 5);
  CHECK(state.best_mae == 4.25);
  CHECK(state.seconds == 81.5);
  CHECK(state.validated_at == 70.25);
  CHECK_FALSE(state.over);
  const auto first = [](Rig& rig) { return rig.network.parameters()[0]->value.view(); };
  CHECK(test::bitwise_equal(first(read), first(here)));
  read.best.put_back(read.network.parameters());
  CHECK(test::bitwise_equal(first(read), first(there)));
}

TEST_CASE("training that was over is over, unless the run is to be longer now") {
  const TemporaryFolder folder;
  const RunDirectory directory(folder.path());
  const test::TestContext ctx;
  Rig rig(1);
  rig.config.steps = 0;
  rig.config.minutes = 3;
  RunState state = some_state();
  state.best_step = 0;
  state.over = true;
  save_state(directory, state, rig.config, ctx, some_faces(), rig.weights());
  CHECK(load_state(directory, rig.config, ctx, some_faces(), rig.weights()).over);
  rig.config.minutes = 5;
  CHECK_FALSE(load_state(directory, rig.config, ctx, some_faces(), rig.weights()).over);
}

TEST_CASE("a state of other settings, of other faces or with steps out of order is refused") {
  const TemporaryFolder folder;
  const RunDirectory directory(folder.path());
  const test::TestContext ctx;
  Rig rig(1);
  const auto refused = [&](const TrainConfig& config, const std::vector<Face>& faces,
                           const char* why) {
    CHECK_THROWS_WITH_AS((void)load_state(directory, config, ctx, faces, rig.weights()),
                         doctest::Contains(why), Error);
  };
  RunState state = some_state();
  state.best_step = 0;
  save_state(directory, state, rig.config, ctx, some_faces(), rig.weights());
  TrainConfig other = rig.config;
  other.objective.heads = {Task::embedding};
  refused(other, some_faces(), "model.heads: [\"embedding\"], [\"embedding\", \"gender\"]");
  std::vector<Face> fewer = some_faces();
  fewer.pop_back();
  refused(rig.config, fewer, "3 then, 2 now");
  state.last_validation = 8;
  save_state(directory, state, rig.config, ctx, some_faces(), rig.weights());
  refused(rig.config, some_faces(), "steps in order");
}
