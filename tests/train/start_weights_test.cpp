// Runs that begin with somebody's weights.
#include "train/start_weights.h"

#include <doctest/doctest.h>

#include "core/error.h"
#include "tests/support/temporary_folder.h"
#include "tests/train/learnable_faces.h"
#include "tests/train/trainer_rig.h"
#include "train/model/model_file.h"

using namespace twinage;
using namespace twinage::test;
namespace fs = std::filesystem;

namespace {

std::vector<float> weights(const fs::path& run, const std::string& name) {
  return SafetensorsFile::open(RunDirectory(run).model()).floats(name);
}

struct Runs {
  TemporaryFolder folder;
  Runs() { make_faces(folder / "faces", 40, 1); }
  fs::path train(const std::string& name, Index steps, const fs::path& from,
                 const std::function<void(TrainRequest&)>& change = {}) {
    TrainRequest r = request(folder / "faces", folder / name, steps);
    r.config.schedule = Schedule::constant;
    r.config.validate_steps = 100;
    r.config.from = from.string();
    if (change) change(r);
    CHECK(Trainer(std::move(r)).run() == TrainEnd::finished);
    return folder / name;
  }
};

constexpr const char* kStem = "Conv2d_2a_3x3.conv.weight";
constexpr const char* kStatistic = "Conv2d_2a_3x3.bn.running_mean";
constexpr const char* kBlock = "Mixed_5b.branch1x1.conv.weight";
constexpr const char* kHead = "gender.weight";

}  // namespace

TEST_CASE("from a run: it begins where that ended, and what is frozen stays there") {
  Runs runs;
  const fs::path first = runs.train("first", 3, "");
  const fs::path frozen = runs.train("frozen", 2, first, [](TrainRequest& r) {
    r.config.freeze = "stem";
    r.config.seed = 9;
  });
  CHECK(weights(frozen, kStem) == weights(first, kStem));
  CHECK(weights(frozen, kStatistic) == weights(first, kStatistic));
  CHECK(weights(frozen, kBlock) != weights(first, kBlock));
  CHECK(weights(frozen, kHead) != weights(first, kHead));
  // A share of 0 keeps all weights of the tower, but it sees batches: its statistics move.
  const fs::path held = runs.train("held", 2, first / kModelFile,
                                   [](TrainRequest& r) { r.config.loaded_factor = 0; });
  CHECK(weights(held, kStem) == weights(first, kStem));
  CHECK(weights(held, kBlock) == weights(first, kBlock));
  CHECK(weights(held, kStatistic) != weights(first, kStatistic));
  CHECK(weights(held, kHead) != weights(first, kHead));
}

TEST_CASE("from a run: heads that are alike are loaded, others begin anew") {
  Runs runs;
  const fs::path first = runs.train("first", 2, "");
  TrainConfig config = request("faces", "out", 1).config;
  config.from = first.string();
  config.embedding = 24;
  TwinNetwork network(preset(config.preset), config.embedding, config.objective.heads);
  const std::string said = start_from(config, network);
  CHECK(said.find("random: embedding (2)") != std::string::npos);
  const auto named = [&](const std::string& name) -> const Tensor& {
    for (Parameter* p : network.parameters())
      if (p->name == name) return p->value;
    FAIL("no ", name);
    throw 0;
  };
  const auto all = [](const Tensor& t) {
    return std::vector<float>(t.data(), t.data() + t.size());
  };
  CHECK(all(named(kHead)) == weights(first, kHead));
  CHECK(all(named(kBlock)) == weights(first, kBlock));
  for (const float v : all(named("embedding.weight"))) CHECK(v == 0);
  config.preset = "alexnet-tiny";
  TwinNetwork other(preset(config.preset), 16, config.objective.heads);
  CHECK_THROWS_AS(start_from(config, other), UsageError);
  config.from = (runs.folder / "faces").string();
  CHECK_THROWS_AS(start_from(config, network), Error);  // a folder that is no run
}

TEST_CASE("from a run: stopped and resumed, and without its source, it ends in the same bytes" *
          doctest::test_suite("long")) {
  Runs runs;
  const fs::path first = runs.train("first", 2, "");
  const auto options = [](TrainRequest& r) {
    r.config.freeze = "stem";
    r.config.loaded_factor = 0.25;
    r.config.average = 0.9;
  };
  const fs::path whole = runs.train("whole", 4, first, options);
  const fs::path parts = runs.train("parts", 2, first, options);
  fs::rename(first, runs.folder / "gone");
  runs.train("parts", 4, first, [&](TrainRequest& r) {
    options(r);
    r.resume = true;
  });
  CHECK(same_training_state(whole, parts));
}
