#include "tools/experiments/experiments.h"

#include <algorithm>

#include "core/error.h"
#include "siamese/losses/loss.h"

namespace twinage {
namespace {

constexpr const char* kAgeOnly = "model.heads=embedding";  // no gender head

// Of every run that is read as an age.
const std::vector<Column> kErrors{
    {"mae", "MAE, years", Unit::years, 2, true},
    {"cs5", "within 5 years", Unit::share, 1},
    {"gender", "gender right", Unit::share, 1},
    {"coverage", "inside the 80 % interval", Unit::share, 1},
    {"steps", "steps", Unit::count, 0},
};

Picture bars_of_errors(std::string rows = "") {
  return {
      Picture::Kind::bars, "mae",          "Error of each row", "mean absolute error, years", "mae",
      Unit::years,         std::move(rows)};
}
Picture curves_of(std::string name, std::string title, std::string rows = "") {
  return {
      Picture::Kind::curves, std::move(name), std::move(title), "mean absolute error, years", "",
      Unit::years,           std::move(rows)};
}

Experiment toy() {
  // In the plane, and not on a sphere: that would be a circle.
  return {
      .name = "toy",
      .question = "What does an embedding in the plane look like, before training and after it?",
      .paper = "section 3.1 (a subset of MORPH there)",
      .rows = {{"age",
                "trained by age alone",
                "paper",
                "",
                {"model.embedding=2", "model.radius=0", kAgeOnly}},
               {"age-gender",
                "trained by age and gender",
                "paper",
                "",
                {"model.embedding=2", "model.radius=0"}}},
      .columns = {{"neighbours_before", "10 nearest within tau years: before", Unit::share, 1},
                  {"neighbours", "10 nearest: after", Unit::share, 1},
                  {"neighbours_chance", "any two faces within tau", Unit::share, 1},
                  {"probe_before", "gender by a line: before", Unit::share, 1},
                  {"probe", "gender by a line: after", Unit::share, 1},
                  {"probe_chance", "one gender for all", Unit::share, 1},
                  {"mae", "MAE, years", Unit::years, 2}},
      .pictures = {{Picture::Kind::plane, "plane", "The embedding in the plane"}},
      .measures = {.probe = true, .plane = true},
  };
}

// A network must read ages to be a model, and keeps the weights that read them best. Where nothing
// but the gender is learnt that choice is left out: it is validated once, at the end.
std::vector<std::string> gender_only() {
  return {"loss.embedding_weight=0", "training.validate_steps=1000000000"};
}

Experiment gender() {
  return {
      .name = "gender",
      .question = "How much of the gender is in an embedding that was trained on age alone?",
      .paper = "table 2",
      .rows =
          {{"age-only", "trained on age alone, gender by a linear probe", "paper", "", {kAgeOnly}},
           {"alexnet", "AlexNet with gender labels", "default", "alexnet-tiny", gender_only()},
           {"inception", "Inception with gender labels", "default", "", gender_only()}},
      .columns = {{"gender_read", "gender right", Unit::share, 2, true},
                  {"gender_read_from_10", "of faces of 10 years and older", Unit::share, 2},
                  {"probe_before", "linear probe before training", Unit::share, 2},
                  {"probe_chance", "one gender for all", Unit::share, 2},
                  {"steps", "steps", Unit::count, 0}},
      .pictures = {{Picture::Kind::bars, "gender", "Gender read right", "right, % of faces",
                    "gender_read", Unit::share}},
      .measures = {.probe = true},
  };
}

// Every loss of distances that there is: one that is added is a row by itself.
Experiment losses() {
  Experiment e{
      .name = "losses",
      .question =
          "The paper's method beside every other metric-learning loss, alike in data and "
          "budget; and does multi-task help the age?",
      .paper = "table 3",
      .rows = {{"method", "this method: revised-contrastive", "paper", "", {kAgeOnly}},
               {"method-multi-task", "this method with multi-task", "paper", ""}},
      .columns = kErrors,
      .pictures = {bars_of_errors(), curves_of("curves", "Error while training")},
  };
  for (const std::string& name : loss_names(Task::embedding)) {
    if (name == "revised-contrastive") continue;
    // Its kin are trained as the method is: either kind of pair weighs half, on a sphere.
    const bool kin = name == "contrastive" || name == "graded-contrastive";
    e.rows.push_back({name, name, kin ? "paper" : "default", "", {kAgeOnly, "loss.kind=" + name}});
  }
  return e;
}

Experiment heads() {
  return {
      .name = "heads",
      .question = "Metric learning beside heads that say the age at once; and which tower?",
      .paper = "the comparison with the state of the art",
      .rows = {{"metric", "metric learning: gap-regression (default)", "default"},
               {"metric-paper", "metric learning: the paper's", "paper", ""},
               {"expectation", "head: expected value over classes (DEX)", "expectation"},
               {"regression", "head: L1", "regression"},
               {"label-distribution", "head: DLDL-v2", "label-distribution"},
               {"ranking", "head: CORAL", "ranking"},
               {"mean-variance", "head: mean-variance", "mean-variance"},
               {"ssr", "head: SSR-Net", "ssr"},
               {"tower-alexnet", "metric learning, AlexNet", "default", "alexnet-tiny"},
               {"tower-mobilenet", "metric learning, MobileNet", "default", "mobilenet-tiny"},
               {"tower-densenet", "metric learning, DenseNet", "default", "densenet-tiny"}},
      .columns = kErrors,
      .pictures = {bars_of_errors(), curves_of("curves", "Error while training")},
  };
}

Experiment tau() {
  Experiment e{
      .name = "tau",
      .question =
          "Are relaxed positives needed: does tau, and the share of positives, decide "
          "whether the paper's loss converges?",
      .paper = "its central claim",
      .rows = {},
      .columns = {{"mae", "MAE, years (comparison)", Unit::years, 2, true},
                  {"mae:knn", "MAE, years (knn)", Unit::years, 2},
                  {"cs5", "within 5 years", Unit::share, 1},
                  {"gender", "gender right", Unit::share, 1},
                  {"steps", "steps", Unit::count, 0}},
      .pictures = {curves_of("tau", "All pairs: error while training, by tau", "tau-"),
                   curves_of("positives",
                             "Sampled pairs: error while training, by the share of "
                             "positives",
                             "positives-"),
                   bars_of_errors()},
  };
  for (const char* years : {"0", "1", "3", "5", "10"})
    e.rows.push_back({fmt::format("tau-{}", years),
                      fmt::format("all pairs, tau = {}", years),
                      "paper",
                      "",
                      {fmt::format("loss.tau={}", years)}});
  for (const char* share : {"0.1", "0.25", "0.5"})
    e.rows.push_back({fmt::format("positives-{}", share),
                      fmt::format("sampled pairs, {} positive", share),
                      "paper-sampled",
                      "",
                      {fmt::format("loss.positive_share={}", share)}});
  return e;
}

Experiment readout() {
  return {
      .name = "readout",
      .question = "How is an age best read from distances, and how many references does it need?",
      .paper = "section 2.5",
      .rows = {{"default", "default", "default"}},
      .columns = {{"mae:comparison", "comparison: MAE, years", Unit::years, 2},
                  {"mae:knn", "knn: MAE, years", Unit::years, 2},
                  {"mae:prototype", "prototype: MAE, years", Unit::years, 2},
                  {"cs5:comparison", "comparison: within 5 years", Unit::share, 1},
                  {"cs5:knn", "knn: within 5 years", Unit::share, 1},
                  {"cs5:prototype", "prototype: within 5 years", Unit::share, 1},
                  {"references", "references", Unit::count, 0}},
      .pictures = {{Picture::Kind::references, "references",
                    "Error against the number of references", "mean absolute error, years"}},
      .measures = {.references = true},
  };
}

// Text in lines of at most 80 columns, those after the first indented.
std::string wrapped(const std::string& text, const std::string& indent) {
  constexpr std::size_t kColumns = 80;
  std::string lines, line;
  std::size_t begin = 0;
  while (begin < text.size()) {
    const std::size_t end = std::min(text.find(' ', begin), text.size());
    const std::string word = text.substr(begin, end - begin);
    begin = end + 1;
    if (!line.empty() && line.size() + 1 + word.size() > kColumns) {
      lines += line + "\n";
      line = indent + word;
    } else {
      line += (line.empty() ? "" : " ") + word;
    }
  }
  return lines + line + "\n";
}

std::pair<std::string, std::string> key_and_value(const std::string& setting) {
  const auto equals = setting.find('=');
  if (equals == std::string::npos)
    throw UsageError(fmt::format("[config] --set expects KEY=VALUE, got '{}'", setting));
  return {setting.substr(0, equals), setting.substr(equals + 1)};
}

}  // namespace

const std::vector<Experiment>& experiments() {
  static const std::vector<Experiment> table{toy(), gender(), losses(), heads(), tau(), readout()};
  return table;
}

const Experiment& experiment(std::string_view name) {
  std::vector<std::string> names;
  for (const Experiment& e : experiments()) {
    if (e.name == name) return e;
    names.push_back(e.name);
  }
  fail_unknown_name("experiment", names, name);
}

const ExperimentRow& row_of(const Experiment& experiment, std::string_view name) {
  std::vector<std::string> names;
  for (const ExperimentRow& row : experiment.rows) {
    if (row.name == name) return row;
    names.push_back(row.name);
  }
  fail_unknown_name("row of " + experiment.name, names, name);
}

std::string experiments_help() {
  std::string text;
  for (const Experiment& e : experiments()) {
    text += wrapped(fmt::format("  {}: {} Paper: {}.", e.name, e.question, e.paper), "    ");
    std::string rows;
    for (const ExperimentRow& row : e.rows) rows += (rows.empty() ? "" : ", ") + row.name;
    text += wrapped("    rows: " + rows, "      ");
  }
  return text;
}

TrainConfig config_of(const ExperimentRow& row, const CommonOptions& common, std::uint64_t seed) {
  try {
    TrainConfig c = recipe(row.recipe);
    c.data = common.data;
    c.val = common.val;
    c.format = common.format;
    c.age_ranges = common.age_ranges;
    c.preset = row.preset.empty() ? common.preset : row.preset;
    c.minutes = common.minutes;
    c.steps = common.steps;
    c.seed = seed;
    std::vector<std::string> own;
    for (const std::string& setting : row.settings) {
      const auto [key, value] = key_and_value(setting);
      set_value(c, key, value);
      own.push_back(key);
    }
    for (const std::string& setting : common.settings) {
      const auto [key, value] = key_and_value(setting);
      if (std::ranges::find(own, key) != own.end())
        throw UsageError(
            fmt::format("--set {} cannot be set for all: it is what this row varies", key));
      set_value(c, key, value);
    }
    check_settings(c);
    return c;
  } catch (const UsageError& error) {
    throw UsageError(fmt::format("[experiment] row {}: {}", row.name, error.what()));
  }
}

}  // namespace twinage
