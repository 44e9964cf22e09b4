#include "train/settings/config.h"

#include <doctest/doctest.h>

#include "core/error.h"

using namespace twinage;

TEST_CASE("config: TOML is read back to the same text, for every recipe") {
  for (const char* name : {"default", "paper"}) {
    TrainConfig c = recipe(name);
    c.data = R"(a "quoted" \ folder)";
    c.objective.loss.margin = 0.1F;
    c.seed = 1ULL << 60;
    c.held_out = 1.0 / 3;
    const TrainConfig back = config_from_toml(to_toml(c), "test");
    CHECK(to_toml(back) == to_toml(c));
    CHECK(back.data == c.data);
    CHECK(back.held_out == c.held_out);
    CHECK(differences_that_matter(back, c).empty());
  }
}

TEST_CASE("config: a file needs to name only what differs from its recipe") {
  const TrainConfig c = config_from_toml("recipe = \"paper\"\n[loss]\nmargin = 3\n", "test");
  CHECK(c.objective.head[Task::embedding].loss.name == "revised-contrastive");
  CHECK(c.radius == 1.5);
  CHECK(c.objective.loss.margin == 3.0F);
}

TEST_CASE("config: mistakes are usage errors that name the place") {
  const auto message = [](const char* text) {
    try {
      (void)config_from_toml(text, "my.toml");
    } catch (const UsageError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  CHECK(message("[loss]\nmargn = 3").find("loss.margn") != std::string::npos);
  CHECK(message("[loss]\nmargin = \"3\"").find("loss.margin") != std::string::npos);
  CHECK(message("[training]\nbatch = 6.5").find("training.batch") != std::string::npos);
  CHECK(message("[loss]\nkind = \"best\"").find("best") != std::string::npos);
  CHECK(message("a = \n= 2").find("my.toml, line 1") != std::string::npos);
  CHECK(message("recipe = \"secret\"").find("secret") != std::string::npos);
}

TEST_CASE("config: --set takes any key") {
  TrainConfig c;
  set_value(c, "loss.kind", "graded-contrastive");
  set_value(c, "augment.flip", "false");
  set_value(c, "training.seed", "42");
  set_value(c, "optimizer.factor", "2");
  set_value(c, "data.val", "some folder");
  CHECK(c.objective.head[Task::embedding].loss.name == "graded-contrastive");
  CHECK_FALSE(c.augment.flip);
  CHECK(c.seed == 42);
  CHECK(c.factor == 2.0);
  CHECK(c.val == "some folder");
  CHECK_THROWS_AS(set_value(c, "nothing", "1"), UsageError);
  CHECK_THROWS_AS(set_value(c, "training.batch", "many"), UsageError);
  CHECK_THROWS_WITH_AS(set_value(c, "recipe", "paper"), doctest::Contains("--recipe"), UsageError);
}

TEST_CASE("config: values that make no sense are refused by name") {
  TrainConfig good;
  good.steps = 1;
  CHECK_NOTHROW(check_settings(good));
  const auto refused = [&](const char* key, const char* value) {
    TrainConfig c = good;
    set_value(c, key, value);
    try {
      check_settings(c);
    } catch (const UsageError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  CHECK(refused("training.batch", "7").find("training.batch") != std::string::npos);
  CHECK(refused("training.batch", "0").find("training.batch") != std::string::npos);
  CHECK(refused("optimizer.rho", "1.0").find("optimizer.rho") != std::string::npos);
  CHECK(refused("optimizer.epsilon", "nan").find("optimizer.epsilon") != std::string::npos);
  CHECK(refused("loss.margin", "-1").find("loss.margin") != std::string::npos);
  CHECK(refused("model.preset", "huge").find("huge") != std::string::npos);
  CHECK(refused("training.epochs", "2").find("exactly one") != std::string::npos);
  CHECK(refused("training.steps", "0").find("exactly one") != std::string::npos);
  CHECK(refused("augment.zoom", "2").find("zoom") != std::string::npos);
  CHECK(refused("readout.kind", "expectation").find("needs an age head") != std::string::npos);
  TrainConfig number = recipe("regression"), classes = recipe("ranking");
  number.steps = classes.steps = 1;
  CHECK_NOTHROW(check_settings(number));
  CHECK_NOTHROW(check_settings(classes));
  number.readout.kind = ReadoutKind::expectation;
  CHECK_THROWS_WITH_AS(
      check_settings(number),
      "[readout] expectation needs a probability of every age, and this network's age head says "
      "one number: use another read-out or train one that has it (readout.kind and loss.age_kind)",
      UsageError);
  classes.readout.kind = ReadoutKind::direct;
  CHECK_THROWS_WITH_AS(check_settings(classes), doctest::Contains("loss.age_kind"), UsageError);
  CHECK(refused("readout.kind", "direct").find("readout.kind and model.heads") !=
        std::string::npos);
  // What a file could not give back: numbers that TOML has not, a path that is no UTF-8.
  CHECK(refused("training.checkpoint_seconds", "inf").find("finite") != std::string::npos);
  CHECK(refused("training.seed", "-1").find("training.seed") != std::string::npos);
  CHECK(refused("data.val", "dir\xE9").find("data.val") != std::string::npos);
  CHECK(refused("data.val", "d\xC3\xA9j\xC3\xA0 'vu' \"\\").empty());
}

TEST_CASE("config: what a resumed run must share") {
  TrainConfig a, b;
  b.minutes = 7;
  b.val = "elsewhere";
  CHECK(differences_that_matter(a, b).empty());
  b.batch = 32;
  b.preset = "small";
  const auto different = differences_that_matter(a, b);
  REQUIRE(different.size() == 2);
  CHECK(different[0] == "model.preset: 'tiny', 'small'");
  CHECK(different[1] == "training.batch: 64, 32");
}
