// Whole runs with every kind of head: stopped and resumed, or with another number of threads, they
// end in the same bytes.
#include <doctest/doctest.h>

#include "siamese/readouts/table.h"
#include "tests/support/temporary_folder.h"
#include "tests/train/learnable_faces.h"
#include "tests/train/trainer_rig.h"
#include "train/model/model_file.h"

using namespace twinage;
using namespace twinage::test;
namespace fs = std::filesystem;

TEST_CASE("trainer: whatever the heads, threads and a stop do not change a byte" *
          doctest::test_suite("long")) {
  const TemporaryFolder folder;
  make_faces(folder / "faces", 40, 8);
  const TrainConfig expectation = recipe("expectation");
  CHECK(expectation.objective.heads == Heads{Task::gender, Task::age});
  const Heads all{Task::embedding, Task::gender, Task::age};
  int number = 0;
  for (const Heads& heads : {expectation.objective.heads, all, Heads{Task::embedding}}) {
    const fs::path runs = folder / fmt::format("{}", number++);
    const auto run = [&](const char* name, Index steps, int threads, bool resume) {
      TrainRequest r = request(folder / "faces", runs / name, steps);
      r.config.objective.heads = heads;
      r.config.readout.kind =
          has(heads, Task::embedding) ? ReadoutKind::knn : ReadoutKind::expectation;
      r.config.schedule = Schedule::constant;
      r.config.validate_steps = 100;
      if (heads == all) {  // and what else a run can have
        r.config.average = 0.9;
        r.config.radius = 2;
      }
      r.engine.threads = threads;
      r.resume = resume;
      CHECK(Trainer(std::move(r)).run() == TrainEnd::finished);
      return bytes(RunDirectory(runs / name).model());
    };
    const std::string whole = run("whole", 6, 2, false);
    CHECK(run("single", 6, 1, false) == whole);
    CHECK(run("parts", 3, 2, false) != whole);
    run("parts", 6, 2, true);
    CHECK(same_training_state(runs / "parts", runs / "whole"));

    const Model model = load_model(runs / "whole");
    CHECK(model.gallery.names.size() == 32);
    CHECK(model.gallery.contents.size() == 32);
    CHECK(model.gallery.has_embeddings() == has(heads, Task::embedding));
    CHECK(model.knows_gender() == has(heads, Task::gender));
    CHECK(model.calibration.held_out == 8);
    const auto& scales = model.calibration.interval_scales;
    CHECK(scales.contains(ReadoutKind::expectation) == has(heads, Task::age));
    CHECK(scales.contains(ReadoutKind::knn) == has(heads, Task::embedding));
  }
}

TEST_CASE("trainer: whatever the age head, threads and a stop do not change a byte" *
          doctest::test_suite("long")) {
  const TemporaryFolder folder;
  make_faces(folder / "faces", 40, 8);
  for (const char* name : {"ranking", "regression", "ssr"}) {
    CAPTURE(name);
    const fs::path runs = folder / name;
    const auto run = [&](const char* to, Index steps, int threads, bool resume) {
      TrainRequest r = request(folder / "faces", runs / to, steps);
      const TrainConfig chosen = recipe(name);
      r.config.recipe = name;
      r.config.objective = chosen.objective;
      r.config.readout.kind = chosen.readout.kind;
      r.config.schedule = Schedule::constant;
      r.engine.threads = threads;
      r.resume = resume;
      CHECK(Trainer(std::move(r)).run() == TrainEnd::finished);
    };
    run("whole", 6, 2, false);
    run("parts", 3, 1, false);
    run("parts", 6, 2, true);
    CHECK(same_training_state(runs / "parts", runs / "whole"));
    const Model model = load_model(runs / "whole");
    CHECK(model.config.objective.head[Task::age].loss.name == name);
    CHECK(model.network->form(Task::age).outputs ==
          head_form(Task::age, {name}, model.config.embedding).outputs);
    const auto& scales = model.calibration.interval_scales;
    REQUIRE(scales.size() == 1);
    CHECK(scales.begin()->first == recipe(name).readout.kind);
    CHECK(scales.begin()->second > 0);
  }
}

TEST_CASE("trainer: stopped at its end, what an age head said of the faces until then is kept" *
          doctest::test_suite("long")) {
  const TemporaryFolder folder;
  make_faces(folder / "faces", 150, 9);
  const std::atomic<bool> stop = true;
  const auto run = [&](bool resume, const std::atomic<bool>* stopped) {
    TrainRequest r = request(folder / "faces", folder / "run", 2);
    r.config.objective.heads = {Task::age};
    r.config.readout.kind = ReadoutKind::expectation;
    r.config.held_out = 0.5;
    r.config.validate_steps = 100;
    r.resume = resume;
    r.stop = stopped;
    return Trainer(std::move(r)).run();
  };
  const RunDirectory directory(folder / "run");
  CHECK(run(false, nullptr) == TrainEnd::finished);
  const std::string whole = bytes(directory.model());
  CHECK(run(true, &stop) == TrainEnd::stopped_in_gallery);
  SafetensorsWriter changed;  // and is what the run goes on with
  {
    const auto gallery = SafetensorsFile::open(directory.gallery());
    CHECK_FALSE(gallery.contains("z"));
    CHECK(gallery.integers("done").at(0) == 64);
    std::vector<float> ages = gallery.floats("ages");
    REQUIRE(ages.size() == 75 * kAges);
    for (std::size_t i = 0; i < 64 * kAges; ++i) ages[i] = i % kAges == 0 ? 1.0F : 0.0F;
    for (const auto& [key, value] : gallery.metadata())
      if (key != "checksum") changed.set_metadata(key, value);
    changed.add("ages", ages, {75, 1, 1, kAges});
    changed.add("female", gallery.floats("female"), {75});
    changed.add("done", gallery.integers("done"), {1});
  }
  CHECK(run(true, nullptr) == TrainEnd::finished);
  CHECK(bytes(directory.model()) == whole);

  CHECK(run(true, &stop) == TrainEnd::stopped_in_gallery);
  changed.write(directory.gallery());
  CHECK(run(true, nullptr) == TrainEnd::finished);
  CHECK(bytes(directory.model()) != whole);
}
