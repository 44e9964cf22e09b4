#include "train/settings/settings.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <sstream>

#include <doctest/doctest.h>

#include "core/error.h"
#include "train/settings/setting_list.h"

using namespace twinage;

namespace {

std::string refusal(const auto& call) {
  try {
    call();
  } catch (const UsageError& error) {
    return error.what();
  }
  return {};
}

}  // namespace

TEST_CASE(
    "settings: every key stands once, says what it is for, and its value may be written out") {
  for (const std::string& name : recipe_names()) {
    CAPTURE(name);
    TrainConfig config = recipe(name);
    std::set<std::string> keys;
    for (const Setting& s : settings_of(config)) {
      CAPTURE(s.key);
      CHECK(keys.insert(s.key).second);
      CHECK(s.help.size() > 4);
      CHECK_NOTHROW(s.check());
      CHECK(to_toml(config).find(s.key.substr(s.key.find('.') + 1) + " = " + s.text()) !=
            std::string::npos);
    }
  }
}

TEST_CASE("settings: a section's keys stand together, so that a file has each section once") {
  TrainConfig config;
  std::set<std::string> closed;
  std::string section;
  for (const Setting& s : settings_of(config)) {
    const auto dot = s.key.find('.');
    const std::string here = dot == std::string::npos ? "" : s.key.substr(0, dot);
    if (here == section) continue;
    CHECK(closed.insert(here).second);
    section = here;
  }
}

TEST_CASE("settings: the table names every key, its default and its range in 80 columns") {
  const TrainConfig config = recipe("paper");
  const std::string table = settings_table(config);
  TrainConfig copy = config;
  std::set<std::string> sections;
  for (const Setting& s : settings_of(copy)) {
    CHECK(table.find(s.key + " = " + s.text()) != std::string::npos);
    if (s.key.find('.') != std::string::npos) sections.insert(s.key.substr(0, s.key.find('.')));
  }
  std::size_t gaps = 0;  // one before each section
  for (auto at = table.find("\n\n"); at != std::string::npos; at = table.find("\n\n", at + 1))
    ++gaps;
  CHECK(gaps == sections.size());
  CHECK(table.find("loss.margin = 2.0  (above 0)\n") != std::string::npos);
  CHECK(table.find("model.radius = 1.5  (at least 0)\n") != std::string::npos);
  CHECK(table.find("training.minutes = 0.0 ~  (at least 0)\n") != std::string::npos);
  std::istringstream lines(table);
  for (std::string line; std::getline(lines, line);) CHECK(line.size() <= 80);
}

TEST_CASE("settings: the table has every word of the help, in lines that are full") {
  TrainConfig config;
  const auto words = [](const std::string& text) {
    std::istringstream stream(text);
    std::string all;
    for (std::string word; stream >> word;) all += " " + word;
    return all;
  };
  const std::string table = settings_table(config), told = words(table);
  for (const Setting& s : settings_of(config)) CHECK(told.find(words(s.help)) != std::string::npos);
  const std::string indent(8, ' ');
  std::istringstream lines(table);
  std::string last;
  Index broken = 0;
  for (std::string line; std::getline(lines, line); last = line) {
    if (!line.starts_with(indent) || !last.starts_with(indent)) continue;
    ++broken;
    const std::size_t first_word =
        std::min(line.find(' ', indent.size()), line.size()) - indent.size();
    CHECK(last.size() + 1 + first_word > 80);
  }
  CHECK(broken > 0);
}

TEST_CASE("settings: what is allowed stands beside the key as long as both fit in 80 columns") {
  TrainConfig config;
  const std::string allowed = "  (cross-entropy)";
  std::string& name = config.objective.head[Task::gender].loss.name;
  for (std::size_t length = 1; length <= 60; ++length) {
    name = std::string(length, 'x');
    const std::string table = settings_table(config);
    const std::string key = "loss.gender_kind = \"" + name + "\"";
    const bool fits = key.size() + allowed.size() <= 80;
    CHECK((table.find("\n" + key + allowed + "\n") != std::string::npos) == fits);
    CHECK((table.find("\n" + key + "\n") != std::string::npos) == !fits);
  }
}

TEST_CASE("settings: a number outside of its range is refused with the range") {
  double value = 0;
  Index count = 0;
  const auto refused = [](auto& field, auto given, const Allowed& allowed) {
    SettingList list;
    list.add("a.key", field, allowed, Resume::may_differ, "help");
    field = given;
    return refusal([&] { list.done()[0].check(); });
  };
  CHECK(refused(value, 0.0, above(0)) == "[config] a.key must be above 0, got 0.0");
  CHECK(refused(value, 0.1, above(0)).empty());
  CHECK(refused(value, -0.1, at_least(0)) == "[config] a.key must be at least 0, got -0.1");
  CHECK(refused(value, 0.0, at_least(0)).empty());
  CHECK(refused(value, 1.5, from_to(0, 1)) == "[config] a.key must be 0 to 1, got 1.5");
  CHECK(refused(value, 1.0, from_to(0, 1)).empty());
  CHECK(refused(value, 1.0, between(0, 1)) == "[config] a.key must be between 0 and 1, got 1.0");
  CHECK(refused(value, 0.5, between(0, 1)).empty());
  CHECK(refused(count, Index{7}, even_from(2)) ==
        "[config] a.key must be even and at least 2, got 7");
  CHECK(refused(count, Index{0}, even_from(2)).size() > 0);
  CHECK(refused(count, Index{8}, even_from(2)).empty());
  for (const double no_number : {std::nan(""), std::numeric_limits<double>::infinity()})
    CHECK(refused(value, no_number, anything()).find("a finite number") != std::string::npos);
}

TEST_CASE("settings: a value of the wrong kind is refused with what is expected") {
  bool flag = false;
  Index count = 3;
  Schedule schedule = Schedule::cosine;
  std::string name;
  const auto refused = [](auto& field, const SettingValue& value) {
    SettingList list;
    list.add("a.key", field, {}, Resume::may_differ, "help");
    return refusal([&] { list.done()[0].read(value, "my.toml"); });
  };
  CHECK(refused(flag, SettingValue(1.0)) == "[config] my.toml: a.key expects true or false");
  CHECK(refused(count, SettingValue(1.5)) == "[config] my.toml: a.key expects a whole number");
  CHECK(count == 3);
  CHECK(refused(schedule, SettingValue(true)) ==
        "[config] my.toml: a.key expects a name in quotes");
  CHECK(refused(schedule, SettingValue(std::string("sine"))).find("constant or cosine") !=
        std::string::npos);
  CHECK(refused(name, SettingValue(2.0)) == "[config] my.toml: a.key expects a string in quotes");
  CHECK(refused(flag, SettingValue(true)).empty());
  CHECK(flag);
}

TEST_CASE("settings: heads are a list of names, in a file and on the command line") {
  TrainConfig config;
  config.steps = 1;
  set_value(config, "model.heads", "gender, age");
  const std::string refused = refusal([&] { check_settings(config); });
  CHECK(refused.find("comparison needs an embedding") != std::string::npos);
  CHECK(refused.find("(readout.kind and model.heads)") != std::string::npos);
  set_value(config, "readout.kind", "expectation");
  CHECK(config.objective.heads == Heads{Task::gender, Task::age});
  CHECK(to_toml(config).find("heads = [\"gender\", \"age\"]\n") != std::string::npos);
  CHECK(config_from_toml(to_toml(config), "test").objective.heads == config.objective.heads);
  CHECK_NOTHROW(check_settings(config));
  set_value(config, "model.heads",
            "age,gender");  // a resumed run may name them the other way round
  CHECK(config.objective.heads == Heads{Task::gender, Task::age});
  set_value(config, "model.heads", "[\"age\"]");
  CHECK(config.objective.heads == Heads{Task::age});
  for (const char* wrong : {"", "age,age", "[]"}) {
    set_value(config, "model.heads", wrong);
    CHECK(refusal([&] { check_settings(config); }).find("a list of " + choices<Task>()) !=
          std::string::npos);
  }
  CHECK(refusal([&] { set_value(config, "model.heads", "ages"); }).find("[task]") == 0);
  CHECK(refusal([&] { (void)config_from_toml("[model]\nheads = \"age\"", "my.toml"); }) ==
        "[config] my.toml: model.heads expects a list of names in brackets");
}

TEST_CASE("settings: every head has a loss and a weight, of its own") {
  for (const Task task : kTasks) {
    CAPTURE(to_string(task));
    TrainConfig config;
    const std::string key =
        "loss." + (task == Task::embedding ? "" : to_string(task) + "_") + "kind";
    const std::string first = loss_names(task).front();
    set_value(config, key, first);
    set_value(config, fmt::format("loss.{}_weight", to_string(task)), "0.25");
    const TrainConfig otherwise;
    for (const Task one : kTasks) {
      CHECK(config.objective.head[one].weight == (one == task ? 0.25F : 1.0F));
      CHECK(config.objective.head[one].loss.name ==
            (one == task ? first : otherwise.objective.head[one].loss.name));
    }
    CHECK(refusal([&] { set_value(config, key, ""); }).find(key + " must be ") !=
          std::string::npos);
  }
}

TEST_CASE("settings: a head's loss is one of its task's") {
  TrainConfig config;
  config.steps = 1;
  set_value(config, "loss.kind", "triplet-hard");
  CHECK_NOTHROW(check_settings(config));
  CHECK(refusal([&] {
          set_value(config, "loss.kind", "cross-entropy");
        }).find("loss.kind must be contrastive, ") != std::string::npos);
}

TEST_CASE("settings: what a recipe took on since then is not what an older run's text means") {
  TrainConfig config = recipe("paper");
  CHECK(config.radius > 0);
  const std::string key = "radius = ";
  CHECK(to_toml(config, Keys::needed).find(key) != std::string::npos);
  config.radius = 0;
  config.average = 0;
  const std::string older = to_toml(config, Keys::needed);
  CHECK(older.find(key) == std::string::npos);
  CHECK(config_from_toml(older, "test").radius == 0);
  CHECK(config_from_toml(older, "test").average == 0);
  // Somebody's own file that names the recipe wants today's.
  CHECK(config_from_toml("recipe = \"paper\"", "test").radius == recipe("paper").radius);
}

TEST_CASE("settings: a model's text leaves out what came later and has its recipe's value") {
  TrainConfig config;
  const std::string needed = to_toml(config, Keys::needed);
  CHECK(needed.find("heads") == std::string::npos);
  CHECK(needed.find("margin") != std::string::npos);
  CHECK(to_toml(config_from_toml(needed, "test")) == to_toml(config));
  config.objective.head[Task::embedding].weight = 0.5F;
  CHECK(to_toml(config, Keys::needed).find("embedding_weight = 0.5\n") != std::string::npos);
}
