// Whole runs on faces made in the test: what is learnt, what is written, and that a run that was
// stopped and resumed, or given another number of threads, ends in the same bytes.
#include "train/trainer.h"

#include <algorithm>

#include <doctest/doctest.h>

#include "core/cuda_runtime.h"
#include "core/error.h"
#include "core/files.h"
#include "core/isa.h"
#include "siamese/readouts/table.h"
#include "tests/support/captured_stderr.h"
#include "tests/support/temporary_folder.h"
#include "tests/train/learnable_faces.h"
#include "tests/train/trainer_rig.h"
#include "train/model/model_file.h"

using namespace twinage;
using namespace twinage::test;
namespace fs = std::filesystem;

TEST_CASE("trainer: threads and a stop do not change a single byte of the model") {
  const TemporaryFolder folder;
  make_faces(folder / "faces", 40, 1);
  const fs::path whole = folder / "whole", parts = folder / "parts", single = folder / "single";

  CHECK(Trainer(request(folder / "faces", whole, 8)).run() == TrainEnd::finished);

  TrainRequest one_thread = request(folder / "faces", single, 8);
  one_thread.engine.threads = 1;
  one_thread.config.workers = 1;
  CHECK(Trainer(std::move(one_thread)).run() == TrainEnd::finished);
  CHECK(bytes(RunDirectory(single).model()) == bytes(RunDirectory(whole).model()));

  // Four steps, then four more in another session. (tests/tools kills a real process in mid-step.)
  std::vector<double> seconds;
  const double began = RunClock::seconds_of_the_system();
  for (const Index steps : {4, 8}) {
    TrainRequest part = request(folder / "faces", parts, steps);
    part.config.schedule = Schedule::constant;
    part.config.validate_steps = 100;
    part.resume = steps == 8;
    CHECK(Trainer(part).run() == TrainEnd::finished);
    seconds.push_back(SafetensorsFile::open(RunDirectory(parts).state()).doubles("measures").at(0));
    std::istringstream lines(bytes(RunDirectory(parts).metrics()));
    std::string last;
    for (std::string line; std::getline(lines, line);) last = line;
    const double recorded = nlohmann::json::parse(last)["seconds"];
    CHECK(recorded > (steps == 8 ? seconds[0] : 0));  // the clock goes on where it was
    CHECK(recorded <= seconds.back());
    CHECK(seconds.back() < RunClock::seconds_of_the_system() - began);
  }
  TrainRequest at_once = request(folder / "faces", folder / "at_once", 8);
  at_once.config.schedule = Schedule::constant;
  at_once.config.validate_steps = 100;
  CHECK(Trainer(at_once).run() == TrainEnd::finished);
  CHECK(same_training_state(parts, folder / "at_once"));
  CHECK_FALSE(same_training_state(parts, whole));  // another schedule: the comparison can fail
}

TEST_CASE("trainer: a run learns, and its model reads what it wrote") {
  const TemporaryFolder folder;
  make_faces(folder / "faces", 60, 2);
  TrainRequest r = request(folder / "faces", folder / "run", 40);
  r.config.validate_steps = 20;
  const std::string config = to_toml(r.config);
  REQUIRE(Trainer(std::move(r)).run() == TrainEnd::finished);
  CHECK(bytes(RunDirectory(folder / "run").config()) == config);  // for the next run, to begin with

  const Model model = load_model(folder / "run");
  CHECK(model.knows_gender());
  CHECK(model.gallery.ages.size() == 48);
  CHECK(std::ssize(model.calibration.interval_scales) ==
        std::ranges::count_if(readout_table(),
                              [](const ReadoutRow& row) { return row.needs.embedding; }));

  std::vector<double> maes;
  std::istringstream lines(bytes(RunDirectory(folder / "run").metrics()));
  for (std::string line; std::getline(lines, line);) {
    const auto record = nlohmann::json::parse(line);
    if (record["event"] == "validation") maes.push_back(record["held_out"]["mae"]);
  }
  REQUIRE(maes.size() == 2);
  // Ages are uniform in 0..79: always saying the mean gives 20 years.
  CHECK(std::min(maes[0], maes[1]) < 15);
}

TEST_CASE("trainer: what it refuses") {
  const TemporaryFolder folder;
  make_faces(folder / "faces", 20, 3);
  const fs::path run = folder / "run";
  CHECK(Trainer(request(folder / "faces", run, 2)).run() == TrainEnd::finished);

  // A folder that already holds a run; a resume with other settings; a resume of nothing.
  CHECK_THROWS_AS(Trainer(request(folder / "faces", run, 2)), Error);
  TrainRequest other = request(folder / "faces", run, 4);
  other.resume = true;
  other.config.batch = 10;
  CHECK_THROWS_WITH_AS(Trainer(std::move(other)), doctest::Contains("training.batch: 10, 8"),
                       Error);
  TrainRequest nothing = request(folder / "faces", folder / "empty", 4);
  nothing.resume = true;
  CHECK_THROWS_AS(Trainer(std::move(nothing)), Error);

  // A state that was cut in half.
  const std::string state = bytes(RunDirectory(run).state());
  write_file_atomically(RunDirectory(run).state(), state.substr(0, state.size() / 2));
  TrainRequest cut = request(folder / "faces", run, 4);
  cut.resume = true;
  CHECK_THROWS_WITH_AS(Trainer(std::move(cut)), doctest::Contains("cut off"), Error);

  // A device this machine lacks.
  if (cuda_problem().empty()) return;
  TrainRequest cuda = request(folder / "faces", folder / "cuda", 2);
  cuda.engine.device = Device::cuda;
  CHECK_THROWS_WITH_AS(Trainer(std::move(cuda)), doctest::Contains("--device cpu"), Error);
}

TEST_CASE("trainer: a loss that is not finite stops the run with the last good state") {
  const TemporaryFolder folder;
  make_faces(folder / "faces", 20, 4);
  const auto diverged = [&](const char* run, double factor, Index checkpoint_steps) -> std::string {
    TrainRequest r = request(folder / "faces", folder / run, 50);
    r.config.factor = factor;
    r.config.schedule = Schedule::constant;
    r.config.checkpoint_steps = checkpoint_steps;
    try {
      Trainer(std::move(r)).run();
    } catch (const Error& error) {
      return error.what();
    }
    return {};
  };
  CHECK(diverged("run", 1e30, 0).find("at step 2: nothing was saved before") != std::string::npos);
  CHECK_FALSE(fs::exists(RunDirectory(folder / "run").model()));
  CHECK(diverged("saved", 1e30, 1).find("at step 2: the last good state is that of step 1 in") !=
        std::string::npos);
  // Weights that are not finite are no state to save.
  const std::string lost = diverged("lost", 1e300, 1);
  CAPTURE(lost);
  CHECK(lost.find("no longer finite after step 1") != std::string::npos);
  CHECK_FALSE(fs::exists(RunDirectory(folder / "lost").state()));
  // Nothing was saved, so nothing stands in the way of another try.
  CHECK(Trainer(request(folder / "faces", folder / "run", 2)).run() == TrainEnd::finished);
}

TEST_CASE("trainer: a run is resumed with the faces that it began with, or not at all") {
  const TemporaryFolder folder;
  make_faces(folder / "faces", 20, 5);
  CHECK(Trainer(request(folder / "faces", folder / "run", 2)).run() == TrainEnd::finished);
  write_png(folder / "faces" / "9_1_0_1.png", Image{1, 1, {1, 2, 3}});
  TrainRequest more = request(folder / "faces", folder / "run", 4);
  more.resume = true;
  CHECK_THROWS_WITH_AS(Trainer(std::move(more)), doctest::Contains("20 then, 21 now"), Error);
}

TEST_CASE("trainer: faces to validate on are not trained on, and who saw no gender reads none") {
  const TemporaryFolder folder;
  make_faces(folder / "all" / "val", 10, 6);
  make_faces(folder / "all" / "rest", 30, 7);
  std::string manifest = "path,age\n";
  int age = 20;
  for (const auto& entry : fs::recursive_directory_iterator(folder / "all"))
    if (entry.is_regular_file()) manifest += fmt::format("{},{}\n", entry.path().string(), age++);
  write_file_atomically(folder / "all.csv", manifest);
  TrainRequest r = request(folder / "all.csv", folder / "run", 2);
  r.config.val = (folder / "all" / "val").string();
  CHECK(Trainer(std::move(r)).run() == TrainEnd::finished);
  const Model model = load_model(folder / "run");
  CHECK(model.gallery.names.size() == 24);  // 30 of 40, less those held out
  for (const std::string& name : model.gallery.names)
    CHECK_FALSE(fs::exists(folder / "all" / "val" / fs::path(name).filename()));
  CHECK_FALSE(model.knows_gender());
}

TEST_CASE("trainer: the state says with which instruction set it was computed") {
  const TemporaryFolder folder;
  make_faces(folder / "faces", 40, 1);
  Trainer(request(folder / "faces", folder / "run", 1)).run();
  const auto state = SafetensorsFile::open(RunDirectory(folder / "run").state());
  CHECK(state.metadata().at("arithmetic") == "device cpu in fp32 with " + to_string(isa()));
}

TEST_CASE("trainer: the rate counts the seconds of the steps, not those of a validation") {
  const TemporaryFolder folder;
  make_faces(folder / "faces", 20, 1);
  for (const Index until : {2, 3}) {  // in two sessions
    TrainRequest r = request(folder / "faces", folder / "run", until);
    r.config.record_steps = r.config.validate_steps = 1;
    r.resume = until == 3;
    CHECK(Trainer(std::move(r)).run() == TrainEnd::finished);
  }
  std::istringstream lines(bytes(RunDirectory(folder / "run").metrics()));
  double last = 0;
  Index steps = 0;
  for (std::string line; std::getline(lines, line);) {
    const auto record = nlohmann::json::parse(line);
    if (record["event"] != "step") continue;
    const double now = record["seconds"], took = 8 / record["images_per_second"].get<double>();
    CHECK(took > 1e-6);
    CHECK(took < now - last + (steps == 0 ? 1e-6 : 0));
    last = now;
    ++steps;
  }
  CHECK(steps == 3);
}

TEST_CASE("trainer: a run by minutes sets time aside for its end before the first step") {
  const TemporaryFolder folder;
  make_faces(folder / "faces", 20, 1);
  TrainRequest r = request(folder / "faces", folder / "run", 0);
  r.config.minutes = 0.02;
  r.config.validate_steps = 1000;
  {
    const test::CapturedStderr said;
    CHECK(Trainer(std::move(r)).run() == TrainEnd::finished);
    const std::string text = said.text();
    CHECK(text.find("of the 0.02 minutes the last ") < text.find("held-out"));
    CHECK(text.find("held-out") != std::string::npos);
    CHECK(text.find("kernel by kernel") == std::string::npos);  // which is no news of the CPU
  }
  CHECK(fs::exists(RunDirectory(folder / "run").model()));
}

TEST_CASE("trainer: stopped within the last validation, a run has no model, and goes on with it") {
  const TemporaryFolder folder;
  make_faces(folder / "faces", 90, 9);
  const std::atomic<bool> stop = true;
  const auto run = [&](bool resume, const std::atomic<bool>* stopped) {
    TrainRequest r = request(folder / "faces", folder / "run", 0);
    r.config.minutes = 1e-6;  // over before the first step
    r.resume = resume;
    r.stop = stopped;
    return Trainer(std::move(r)).run();
  };
  const RunDirectory directory(folder / "run");
  CHECK(run(false, &stop) == TrainEnd::stopped);
  CHECK(run(true, &stop) == TrainEnd::stopped);
  CHECK_FALSE(fs::exists(directory.gallery()));
  CHECK_FALSE(fs::exists(directory.model()));
  CHECK(run(true, nullptr) == TrainEnd::finished);
  CHECK(load_model(folder / "run").step == 0);
}

TEST_CASE("trainer: the average of the weights is the model, and training does not know of it") {
  const TemporaryFolder folder;
  make_faces(folder / "faces", 40, 9);
  for (const bool averaged : {false, true}) {
    TrainRequest r = request(folder / "faces", folder / (averaged ? "averaged" : "last"), 6);
    r.config.average = averaged ? 0.9 : 0;
    CHECK(Trainer(std::move(r)).run() == TrainEnd::finished);
  }
  const auto state = [&](const char* run) {
    return SafetensorsFile::open(RunDirectory(folder / run).state());
  };
  const auto last = state("last"), averaged = state("averaged");
  const std::string name = "gender.weight";
  CHECK(averaged.floats(name) == last.floats(name));
  CHECK(averaged.floats("average." + name) != averaged.floats(name));
  CHECK_FALSE(last.entries().contains("average." + name));
  // Validated at steps 3 and 6: the best of the two averages is what the model has.
  const Model model = load_model(folder / "averaged");
  for (const Parameter* p : model.network->parameters()) {
    if (p->name != name) continue;
    const std::vector<float> has(p->value.data(), p->value.data() + p->value.size());
    CHECK(has == averaged.floats("best." + name));
    if (model.step == 6) CHECK(has == averaged.floats("average." + name));
    CHECK(has != last.floats("best." + name));
  }
}
