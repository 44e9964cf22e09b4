#include "core/error.h"
#include "train/settings/config.h"

namespace twinage {
namespace {

// Revised contrastive loss, gender loss, ADADELTA; of the faces of a step every two are a pair.
// What makes it converge is told in docs/12-why-the-papers-loss-is-hard-to-train.md.
void paper(TrainConfig& c) {
  c.objective.head[Task::embedding].loss = {"revised-contrastive"};
  c.objective.loss.balanced = true;
  c.radius = 1.5;
  c.average = 0.999;
}

// The same with disjoint pairs, drawn so that half of them are of the same class.
void paper_sampled(TrainConfig& c) {
  paper(c);
  c.objective.loss.pairs = PairMode::sampled;
  // With a batch's few pairs and ADADELTA's full step the loss stays where it began until the
  // schedule has lowered the step to about this (docs/recipes.md).
  c.factor = 0.3;
}

// The age as a class, read as the expected value over its probabilities (DEX: Rothe et al. 2018):
// the baseline without metric learning. There is no embedding, and no face is compared with others.
void expectation(TrainConfig& c) {
  c.objective.heads = {Task::gender, Task::age};
  c.readout.kind = ReadoutKind::expectation;
}

// Other heads that say the age themselves, in the place of DEX's classes. A loss that is counted in
// years, squared years or a hundred questions is ten to seventy times the gender's, which is hardly
// learnt beside it at equal weights (docs/recipes.md).
template <ReadoutKind readout, int kWeightPerCent = 100>
void direct_head(TrainConfig& c) {
  expectation(c);
  c.objective.head[Task::age].loss = {c.recipe};  // the recipe has the name of its loss
  c.objective.head[Task::age].weight = kWeightPerCent / 100.0F;
  c.readout.kind = readout;
}

struct Recipe {
  std::string_view name;
  void (*change)(TrainConfig&);  // the defaults
};
constexpr Recipe kRecipes[] = {
    {"default", [](TrainConfig&) {}},  // what runs on real faces pointed to (docs/recipes.md)
    {"paper", paper},
    {"paper-sampled", paper_sampled},
    {"expectation", expectation},
    {"label-distribution", direct_head<ReadoutKind::expectation, 10>},
    {"mean-variance", direct_head<ReadoutKind::expectation, 10>},
    {"ranking", direct_head<ReadoutKind::expectation, 5>},
    {"regression", direct_head<ReadoutKind::direct>},
    {"ssr", direct_head<ReadoutKind::direct>},
};

}  // namespace

std::vector<std::string> recipe_names() {
  std::vector<std::string> names;
  for (const Recipe& r : kRecipes) names.emplace_back(r.name);
  return names;
}

TrainConfig recipe(std::string_view name) {
  for (const Recipe& r : kRecipes) {
    if (r.name != name) continue;
    TrainConfig config;
    config.recipe = name;
    r.change(config);
    return config;
  }
  throw UsageError(fmt::format("[config] no recipe '{}': use {}", name, listed(recipe_names())));
}

}  // namespace twinage
