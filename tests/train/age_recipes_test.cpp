#include <algorithm>
#include <sstream>

#include <doctest/doctest.h>

#include "core/files.h"
#include "tests/support/temporary_folder.h"
#include "tests/train/learnable_faces.h"
#include "train/trainer.h"

using namespace twinage;
using twinage::test::make_faces;
using twinage::test::TemporaryFolder;

TEST_CASE("every way to say an age without comparing is learnt by its recipe") {
  const TemporaryFolder folder;
  make_faces(folder / "faces", 60, 2);
  for (const char* name :
       {"expectation", "label-distribution", "mean-variance", "ranking", "regression", "ssr"}) {
    CAPTURE(name);
    TrainRequest r;
    r.config = recipe(name);
    r.config.data = (folder / "faces").string();
    r.config.steps = 40;
    r.config.batch = 8;
    r.config.held_out = 0.2;
    r.config.mirror = r.config.zooms = false;
    r.config.validate_steps = 10;
    r.out = folder / name;
    r.engine.threads = 2;
    REQUIRE(Trainer(std::move(r)).run() == TrainEnd::finished);
    double best = 1e9;
    std::istringstream lines(read_text_file(RunDirectory(folder / name).metrics()));
    for (std::string line; std::getline(lines, line);) {
      const auto record = nlohmann::json::parse(line);
      if (record["event"] != "validation") continue;
      best = std::min(best, record["held_out"]["mae"].get<double>());
    }
    MESSAGE(std::string(name) << ": " << best << " years");
    // Ages are uniform in 0..79: always saying the mean gives 20 years.
    CHECK(best < 18);
  }
}
