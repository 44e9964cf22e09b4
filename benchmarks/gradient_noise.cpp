// How much of a step's gradient is signal? For each way of choosing pairs, the gradients g of many
// batches at the same weights, and of them
//
//   agreement = mean of g_i . g_j over i != j / mean of |g_i|^2
//
// which is |E g|^2 / E |g|^2 without bias: 1 where all batches say the same, 0 where each says
// something else. ADADELTA divides a gradient by its size, noise or not, so this is the share of a
// step that leads anywhere. (docs/12-why-the-papers-loss-is-hard-to-train.md)
#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include "core/error.h"
#include "layers/initialize.h"
#include "train/model/model_file.h"
#include "train/run_faces.h"
#include "train/settings/config.h"
#include "train/training_step.h"

namespace twinage::bench {
namespace {

struct Arguments {
  std::string data, preset = "tiny", run;
  Index batches = 40, batch = 64;
  int threads = 1;
};

struct Row {
  const char* what;
  PairMode pairs;
  bool balanced;
  float tau;  // years
  double radius;
  const char* loss = "revised-contrastive";
};
constexpr Row kRows[] = {
    {"sampled pairs", PairMode::sampled, true, 3, 0},
    {"sampled pairs, z on a sphere", PairMode::sampled, true, 3, 1.5},
    {"all pairs", PairMode::all, true, 3, 0},
    {"all pairs, z on a sphere", PairMode::all, true, 3, 1.5},
    {"all pairs, not balanced", PairMode::all, false, 3, 0},
    {"all pairs, tau = 0", PairMode::all, true, 0, 0},
    {"all pairs, tau = 10", PairMode::all, true, 10, 0},
    {"all pairs, gap-regression", PairMode::all, false, 3, 0, "gap-regression"},
};

double dot(const std::vector<float>& a, const std::vector<float>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    sum += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  return sum;
}

double agreement(const std::vector<std::vector<float>>& gradients) {
  double same = 0, different = 0;
  for (std::size_t i = 0; i < gradients.size(); ++i)
    for (std::size_t j = 0; j <= i; ++j)
      (i == j ? same : different) += dot(gradients[i], gradients[j]);
  const auto n = static_cast<double>(gradients.size());
  return (different / (n * (n - 1) / 2)) / (same / n);
}

TrainConfig config_of(const Arguments& a, const Row& row) {
  TrainConfig config = recipe("paper");
  config.data = a.data;
  config.preset = a.preset;
  config.batch = a.batch;
  config.radius = row.radius;
  config.objective.heads = {Task::embedding};
  config.objective.head[Task::embedding].loss = {row.loss};
  config.objective.loss.pairs = row.pairs;
  config.objective.loss.balanced = row.balanced;
  config.objective.loss.tau = row.tau;
  return config;
}

// Of consecutive batches, at the weights that the network has.
std::vector<std::vector<float>> gradients_of(const Arguments& a, const Row& row,
                                             const RunFaces& faces, const Model* model) {
  const TrainConfig config = config_of(a, row);
  Engine engine({{Device::cpu}, a.threads});
  TwinNetwork network(preset(config.preset), config.embedding, config.objective.heads,
                      config.radius);
  initialize(network.parameters(), config.seed);
  if (model != nullptr)
    for (Parameter* p : network.parameters())
      for (const Parameter* trained : model->network->parameters())
        if (trained->name == p->name) p->value.copy_from(trained->value);
  ParameterArena& arena = network.place_on(Device::cpu);
  AdadeltaOptimizer optimizer(arena, network.parameters(), config.adadelta);
  Objective objective(config.objective, config.batch, config.embedding);
  TrainingStep step(engine, network, objective, optimizer, config.batch, config.seed);
  step.plan();
  Loader loader(faces.faces, *faces.store, batch_plan(config, faces), network.preset().input,
                config.augment, config.seed, 0, 1, 3);
  std::vector<std::vector<float>> gradients;
  for (Index i = 0; i < a.batches; ++i) {
    const Batch& batch = loader.next();
    step.send(batch);
    step.begin(batch);
    require(std::isfinite(step.loss().total), "[gradient_noise] expected a finite loss");
    const float* g = arena.gradients().data();
    gradients.emplace_back(g, g + arena.gradients().size());
  }
  return gradients;
}

int run(int argc, char** argv) {
  Arguments a;
  CLI::App app("How much of a gradient is signal, for each way of choosing pairs");
  app.add_option("--data", a.data, "faces")->required();
  app.add_option("--preset", a.preset, "the tower");
  app.add_option("--run", a.run, "weights of this run; none: those that training begins with");
  app.add_option("--batches", a.batches, "gradients to compare")->check(CLI::Range(2, 1000));
  app.add_option("--batch", a.batch, "faces a step");
  app.add_option("--threads", a.threads, "threads");
  CLI11_PARSE(app, argc, argv);
  try {
    const auto faces = find_run_faces(config_of(a, kRows[0]), a.threads);
    std::optional<Model> model;
    if (!a.run.empty()) model = load_model(a.run);
    fmt::print("| {} faces a step, {} batches | agreement |\n|---|---|\n", a.batch, a.batches);
    for (const Row& row : kRows) {
      fmt::print("| {} | {:.4f} |\n", row.what,
                 agreement(gradients_of(a, row, *faces, model ? &*model : nullptr)));
      std::fflush(stdout);
    }
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "error: {}\n", error.what());
    return 1;
  }
}

}  // namespace
}  // namespace twinage::bench

int main(int argc, char** argv) {
  return twinage::bench::run(argc, argv);
}
