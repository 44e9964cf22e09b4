#include <memory>
#include <utility>

#include <nlohmann/json.hpp>

#include "core/cuda_runtime.h"
#include "core/error.h"
#include "core/isa.h"
#include "core/output.h"
#include "core/processors.h"
#include "tools/commands.h"
#include "tools/layer_table.h"
#include "tools/options.h"
#include "train/memory_plan.h"
#include "train/model/reading_text.h"

namespace twinage {
namespace {

struct InfoArguments {
  std::string run, preset;
  Index batch = 0;  // 0: the run's own, or what the preset is usually trained with
  bool layers = false, json = false;
};

constexpr const char* kHelp =
    "Says what this machine offers and what a model costs.\n\n"
    "  twinage info                     devices and instruction sets\n"
    "  twinage info --preset v3 --batch 8   parameters, FLOPs, memory of a preset\n"
    "  twinage info run                 the same of a trained model, and how it was trained\n"
    "  twinage info run --layers        and what it is made of, layer by layer";

nlohmann::ordered_json machine() {
  std::string problem = cuda_problem();
  nlohmann::ordered_json devices = {"cpu", "simt"};
  if (problem.empty()) devices.push_back("cuda");
  return {{"devices", devices},
          {"cuda", problem.empty() ? cuda_description() : "not usable: " + problem},
          {"instruction_set", to_string(isa())},
          {"best_instruction_set", to_string(best_isa())},
          {"processors", hardware_threads()},
          {"processors_found", describe_processors()}};
}

// Counted by planning the network, not estimated.
nlohmann::ordered_json cost_of(TwinNetwork& network, Index batch) {
  const Engine engine({Device::cpu});
  Index trained = 0, running = 0;
  for (const Parameter* p : network.parameters())
    (p->trained ? trained : running) += p->value.size();
  const MemoryPlan memory = plan_memory(engine, network, batch);
  const double flops = network.flops() / static_cast<double>(batch);
  return {{"preset", network.preset().name},
          {"input", network.preset().input},
          {"parameters", trained},
          {"running_statistics", running},
          {"flops_per_image", flops},
          {"batch", batch},
          {"training_bytes",
           {{"parameters", memory.parameters},
            {"gradients", memory.gradients},
            {"running_statistics", memory.running_statistics},
            {"optimizer", memory.optimizer},
            {"images", memory.images},
            {"outputs", memory.outputs},
            {"kept_for_backward", memory.kept},
            {"shared_by_turns", memory.shared},
            {"total", memory.total()}}}};
}

// How the plan of memory is read: its parts (train/memory_plan.h), and what each is.
constexpr std::pair<const char*, const char*> kMemory[] = {
    {"parameters", "weights"},
    {"gradients", "their gradients"},
    {"running_statistics", "running statistics"},
    {"optimizer", "ADADELTA's two numbers a weight"},
    {"images", "the images of a batch"},
    {"outputs", "features, and what the heads say"},
    {"kept_for_backward", "workspace: kept from the forward pass to the backward pass"},
    {"shared_by_turns", "workspace: activations, gradients and scratch by turns"},
    {"total", "in all; beside it the program, and the pictures in memory"},
};

void print_machine(const nlohmann::ordered_json& m) {
  print_result("device cpu   {}, {}\n", m["processors_found"].get<std::string>(),
               m["instruction_set"].get<std::string>());
  print_result("device cuda  {}\n", m["cuda"].get<std::string>());
  print_result("device simt  the CUDA kernels, run thread by thread on the host and checked\n");
}

void print_cost(const nlohmann::ordered_json& c) {
  const auto& bytes = c["training_bytes"];
  print_result("preset {}: input {} px\n", c["preset"].get<std::string>(), c["input"].get<Index>());
  print_result("  {} trained parameters, {} running statistics\n", c["parameters"].get<Index>(),
               c["running_statistics"].get<Index>());
  print_result("  {:.3f} GFLOP an image forward, about three times that in training\n",
               c["flops_per_image"].get<double>() * 1e-9);
  print_result("  memory of a training at batch {}, in MB:\n", c["batch"].get<Index>());
  for (const auto& [key, what] : kMemory)
    print_result("  {:9.1f}  {}\n", bytes[key].get<double>() * 1e-6, what);
}

nlohmann::ordered_json heads_of(const Model& model) {
  auto heads = nlohmann::ordered_json::array();
  for (const Task task : model.config.objective.heads) {
    const HeadOptions& options = model.config.objective.head[task];
    heads.push_back({{"name", to_string(task)},
                     {"outputs", model.network->width(task)},
                     {"loss", options.loss.name},
                     {"weight", options.weight}});
  }
  return heads;
}

nlohmann::ordered_json trained(const Model& model) {
  return {{"recipe", model.config.recipe},
          {"data", model.config.data},
          {"step", model.step},
          {"references", model.gallery.embeddings.shape().n},
          {"heads", heads_of(model)},
          {"readout", to_string(model.config.readout.kind)},
          {"gender", model.knows_gender()},
          {"interval_holds", claim_json(model.calibration.claim())}};
}

std::string trained_text(const Model& model) {
  const TrainConfig& config = model.config;
  const Index references = model.gallery.embeddings.shape().n;
  std::string text =
      fmt::format("trained on {} with the recipe '{}', step {}; {} reference faces\n", config.data,
                  config.recipe, model.step, references > 0 ? fmt::format("{}", references) : "no");
  for (const auto& head : heads_of(model))
    text += fmt::format("  head {:<10} {:>4} outputs, loss {} (weight {:g})\n",
                        head["name"].get<std::string>(), head["outputs"].get<Index>(),
                        head["loss"].get<std::string>(), head["weight"].get<double>());
  text += fmt::format("  ages are read by {}\n", to_string(config.readout.kind));
  text += fmt::format("  intervals: {}\n", claim_text(model.calibration.claim()));
  if (!model.knows_gender()) text += fmt::format("  {}\n", gender_text(0, model));
  for (const std::string& line : shortcomings(model)) text += fmt::format("  {}\n", line);
  return text;
}

// The network is planned by now.
void describe(nlohmann::ordered_json& all, std::string& table, const TwinNetwork& network) {
  const LayerDescription description = network.describe();
  all["layers"] = layers_json(description);
  table = layer_table(description);
}

void run(const InfoArguments& a) {
  if (a.layers && a.run.empty() && a.preset.empty())
    throw UsageError("[info] --layers expects a RUN or a --preset: whose layers?");
  nlohmann::ordered_json all = {{"machine", machine()}};
  std::string training, table;
  if (!a.run.empty()) {
    Model model = load_model(a.run);
    all["model"] = cost_of(*model.network, a.batch > 0 ? a.batch : model.config.batch);
    if (a.layers) describe(all, table, *model.network);
    all["trained"] = trained(model);
    training = trained_text(model);
  } else if (!a.preset.empty()) {
    TwinNetwork network(preset(a.preset));
    all["model"] = cost_of(network, a.batch > 0 ? a.batch : network.preset().batch);
    if (a.layers) describe(all, table, network);
  }
  if (a.json) {
    print_result("{}\n", to_text(all));
    return;
  }
  print_machine(all["machine"]);
  if (all.contains("model")) print_cost(all["model"]);
  print_result("{}", training);
  if (!table.empty()) print_result("\n{}", table);
}

}  // namespace

void add_info_command(CLI::App& app) {
  CLI::App* command =
      app.add_subcommand("info", "say what this machine offers and what a model costs");
  command->footer(kHelp);
  auto a = std::make_shared<InfoArguments>();
  command->add_option("RUN", a->run, "a run directory or model file");
  command->add_option("--preset", a->preset, preset_choices());
  command
      ->add_option("--batch", a->batch,
                   "faces a training step; unless set the run's own, or the preset's usual one")
      ->check(CLI::Range(1, 4096));
  command->add_flag("--layers", a->layers, "what the network is made of, layer by layer");
  command->add_flag("--json", a->json, "print a JSON object");
  command->callback([a] { run(*a); });
}

}  // namespace twinage
