#include "tools/report/run_record.h"

#include <cmath>

#include <doctest/doctest.h>
#include <unistd.h>

#include "core/error.h"
#include "core/files.h"
#include "tests/support/temporary_folder.h"
#include "tools/report/run_sections.h"

using namespace twinage;
namespace fs = std::filesystem;

namespace {

// A run's folder with this in its metrics.jsonl.
fs::path make_run(const fs::path& folder, const std::string& metrics) {
  fs::create_directories(folder);
  TrainConfig config = recipe("default");
  config.data = "faces";
  config.steps = 100;
  write_file_atomically(folder / "config.toml", to_toml(config));
  write_file_atomically(folder / "metrics.jsonl", metrics);
  return folder;
}

constexpr const char* kSteps =
    R"({"event":"step","step":50,"epoch":1.5,"seconds":10,"loss":2,"losses":{"embedding":1.5,"gender":0.5},"factor":0.5,"images_per_second":300}
{"event":"validation","step":60,"seconds":12,"held_out":{"mae":8},"val":{"mae":9,"gender_accuracy":0.75}}
)";

}  // namespace

TEST_CASE("a run's curves are read, whatever else its file holds") {
  const test::TemporaryFolder folder;
  const RunRecord run = read_run(
      make_run(folder / "a",
               std::string(kSteps) + "nonsense\n[1]\n{\"event\":7}\n{\"event\":\"step\",\"st"));
  CHECK(run.status == RunStatus::stopped);
  CHECK(run.step == 60);
  CHECK(run.seconds == 12);
  CHECK(run.loss == Points{{50, 2}});
  CHECK(run.head_losses.at("embedding") == Points{{50, 1.5}});
  CHECK(run.rate == Points{{50, 300}});
  CHECK(run.held_out == Points{{60, 8}});
  CHECK(run.held_out_gender.empty());
  CHECK(run.val_gender == Points{{60, 0.75}});
  CHECK(run.sessions.empty());
  CHECK(progress_text(run) == "step 60 of 100");
  CHECK_FALSE(run.has_model());
}

TEST_CASE("a run that broke off says why, until it goes on") {
  const test::TemporaryFolder folder;
  const std::string failed =
      std::string(kSteps) +
      "{\"event\":\"failed\",\"step\":61,\"reason\":\"the loss became nan\"}\n";
  RunRecord run = read_run(make_run(folder / "a", failed));
  CHECK(run.status == RunStatus::failed);
  CHECK(status_text(run) == "broke off: the loss became nan");
  run = read_run(make_run(folder / "a", failed + R"({"event":"step","step":70,"loss":null})"));
  CHECK(run.status == RunStatus::stopped);
  REQUIRE(run.loss.size() == 2);
  CHECK(std::isnan(run.loss[1].second));  // a gap in its curve, not an end of the page
}

TEST_CASE("a run is going while the process that wrote its lock lives") {
  const test::TemporaryFolder folder;
  const fs::path path = make_run(folder / "a", kSteps);
  write_file_atomically(path / "twinage.lock", fmt::format("twinage: process {}\n", ::getpid()));
  CHECK(read_run(path).status == RunStatus::going);
  CHECK(status_text(read_run(path)) == "still going: step 60 of 100");
  write_file_atomically(path / "twinage.lock", "twinage: process 0\n");
  CHECK(read_run(path).status == RunStatus::stopped);
  write_file_atomically(path / "model.safetensors", "x");
  CHECK(read_run(path).status == RunStatus::finished);
}

TEST_CASE("a folder that is no run is said to be none") {
  const test::TemporaryFolder folder;
  CHECK_THROWS_WITH_AS(read_run(folder.path()), doctest::Contains("is no run"), Error);
}

TEST_CASE("runs are named by as much of their paths as tells them apart") {
  std::vector<RunRecord> runs(2);
  runs[0].folder = "x/night/run/";
  runs[1].folder = "x/day/run";
  name_apart(runs);
  CHECK(runs[0].name == "night/run");
  CHECK(runs[1].name == "day/run");
  runs[1].folder = "x/night/other";
  name_apart(runs);
  CHECK(runs[0].name == "run");
  runs[1].folder = "x/night/run";
  name_apart(runs);
  CHECK(runs[0].name != runs[1].name);
}

TEST_CASE("the best of two equal validations is the first, whose weights are kept") {
  const test::TemporaryFolder folder;
  const std::string lines =
      R"({"event":"validation","step":10,"seconds":1,"held_out":{"mae":9}}
{"event":"validation","step":20,"seconds":2,"held_out":{"mae":8}}
{"event":"validation","step":30,"seconds":3,"held_out":{"mae":8}}
)";
  const std::vector<RunRecord> runs{read_run(make_run(folder / "a", lines))};
  const Section overview = overview_of(runs);
  const auto row = std::ranges::find(overview.tables[0].rows, "best held-out error",
                                     [](const auto& r) { return r[0]; });
  REQUIRE(row != overview.tables[0].rows.end());
  CHECK((*row)[1] == "8.00 years at step 20");
}

TEST_CASE("overview and curves have every run side by side") {
  const test::TemporaryFolder folder;
  std::vector<RunRecord> runs{read_run(make_run(folder / "a", kSteps)),
                              read_run(make_run(folder / "b", kSteps))};
  name_apart(runs);
  const Section overview = overview_of(runs);
  CHECK(overview.tables.at(0).head == std::vector<std::string>{"", "a", "b"});
  for (const auto& row : overview.tables[0].rows) CHECK(row.size() == 3);
  const Section curves = curves_of(runs);
  REQUIRE(curves.figures.size() >= 6);
  const auto& errors = std::get<Curves>(curves.figures[0].chart);
  CHECK(errors.lines.size() == 4);  // held-out and validation of each
  CHECK(errors.lines[0].name == "a: held-out");
  for (int i = 0; i < 4; ++i) {
    CHECK(errors.lines[static_cast<std::size_t>(i)].series == i);
    CHECK(errors.lines[static_cast<std::size_t>(i)].markers);
  }
  const auto& losses = std::get<Curves>(curves.figures[2].chart);
  CHECK(losses.lines[1].series == 1);
  CHECK_FALSE(losses.lines[1].markers);
  // Of a run that has not begun there is nothing to draw.
  std::vector<RunRecord> empty{read_run(make_run(folder / "c", ""))};
  CHECK(curves_of(empty).figures.empty());
  CHECK(curves_of(empty).paragraphs.size() == 1);
}
