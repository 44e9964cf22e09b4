#include "tools/experiments/experiments.h"

#include <algorithm>
#include <set>

#include <doctest/doctest.h>

#include "core/error.h"
#include "siamese/losses/loss.h"
#include "tools/experiments/published.h"

using namespace twinage;

namespace {

CommonOptions some_faces() {
  CommonOptions common;
  common.data = "faces";
  common.val = "others";
  common.steps = 2;
  return common;
}

}  // namespace

TEST_CASE(
    "the experiments are the six of the paper, and every row of each is a run that may begin") {
  std::vector<std::string> names;
  for (const Experiment& e : experiments()) {
    names.push_back(e.name);
    std::set<std::string> rows;
    for (const ExperimentRow& row : e.rows) {
      CAPTURE(row.name);
      CHECK(rows.insert(row.name).second);
      CHECK(row.name.find_first_of("/ ,") == std::string::npos);
      CHECK_NOTHROW(config_of(row, some_faces(), 1));
    }
    CHECK_FALSE(e.columns.empty());
    CHECK_FALSE(e.pictures.empty());
  }
  CHECK(names == std::vector<std::string>{"toy", "gender", "losses", "heads", "tau", "readout"});
}

TEST_CASE("every loss of distances is a row of losses") {
  std::set<std::string> kinds;
  for (const ExperimentRow& row : experiment("losses").rows)
    kinds.insert(config_of(row, some_faces(), 1).objective.head[Task::embedding].loss.name);
  for (const std::string& name : loss_names(Task::embedding)) CHECK(kinds.contains(name));
}

TEST_CASE("a row is its recipe, its own settings, the common ones, and the seed") {
  CommonOptions common = some_faces();
  common.preset = "small";
  common.settings = {"training.batch=8"};
  const TrainConfig c = config_of(row_of(experiment("tau"), "tau-5"), common, 7);
  CHECK(c.recipe == "paper");
  CHECK(c.preset == "small");
  CHECK(c.objective.loss.tau == 5);
  CHECK(c.objective.loss.pairs == PairMode::all);
  CHECK(c.batch == 8);
  CHECK(c.seed == 7);
  CHECK(c.steps == 2);
  CHECK(c.data == "faces");
  CHECK(c.val == "others");
  CHECK(config_of(row_of(experiment("gender"), "alexnet"), common, 1).preset == "alexnet-tiny");
  CHECK_FALSE(has(config_of(row_of(experiment("losses"), "method"), common, 1).objective.heads,
                  Task::gender));
}

TEST_CASE("a setting that makes no sense is refused with its row") {
  CommonOptions common = some_faces();
  const ExperimentRow& row = row_of(experiment("tau"), "tau-5");
  for (const char* bad : {"loss.tau=1", "loss.nothing=1", "training.batch=3", "batch"}) {
    common.settings = {bad};
    CHECK_THROWS_WITH_AS(config_of(row, common, 1), doctest::Contains("row tau-5"), UsageError);
  }
}

TEST_CASE("names that there are not are refused with those that there are") {
  CHECK_THROWS_WITH_AS(experiment("loss"), doctest::Contains("readout"), UsageError);
  CHECK_THROWS_WITH_AS(row_of(experiment("gender"), "vgg"), doctest::Contains("alexnet"),
                       UsageError);
}

TEST_CASE("the help names every experiment and row in lines of at most 80 columns") {
  const std::string help = experiments_help();
  for (const Experiment& e : experiments())
    for (const ExperimentRow& row : e.rows) CHECK(help.find(row.name) != std::string::npos);
  std::size_t begin = 0;
  for (auto end = help.find('\n'); end != std::string::npos; end = help.find('\n', begin)) {
    CHECK(end - begin <= 80);
    begin = end + 1;
  }
}

TEST_CASE(
    "every published figure is of an experiment, and of a row and a column where it says so") {
  const auto figures = published_figures();
  CHECK(figures.size() >= 8);
  for (const PublishedFigure& f : figures) {
    CAPTURE(f.method);
    const Experiment& e = experiment(f.experiment);
    CHECK_FALSE((f.source.empty() || f.data.empty() || f.protocol.empty() || f.method.empty()));
    if (f.row.empty()) continue;
    CHECK_NOTHROW(row_of(e, f.row));
    const auto column = std::ranges::find(e.columns, f.metric, &Column::key);
    REQUIRE(column != e.columns.end());
    CHECK(column->published);
    CHECK((f.unit == "%") == (column->unit == Unit::share));
  }
}

TEST_CASE("a file of published figures with a mistake is refused with the place") {
  const std::string good =
      "[[figure]]\nexperiment = \"losses\"\nrow = \"\"\nmetric = \"mae\"\nvalue = 2\n"
      "unit = \"years\"\nmethod = \"m\"\ndata = \"d\"\nprotocol = \"p\"\nsource = \"s\"\n";
  CHECK(parse_published(good, "f").at(0).value == 2);
  for (const auto& [what, instead] :
       {std::pair("value = 2", "value = \"2\""), std::pair("value = 2", "value = -1"),
        std::pair("\"years\"", "\"months\""), std::pair("method = \"m\"\n", ""),
        std::pair("row = \"\"", "row = \"\"\nline = \"\""), std::pair("[[figure]]", "[figure]"),
        std::pair("[[figure]]", "[[")}) {
    std::string bad = good;
    bad.replace(bad.find(what), std::string(what).size(), instead);
    CHECK_THROWS_WITH_AS(parse_published(bad, "f"), doctest::Contains("[published] f"), Error);
  }
}
