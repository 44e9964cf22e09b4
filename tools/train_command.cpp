#include <memory>
#include <optional>

#include "core/error.h"
#include "core/files.h"
#include "core/output.h"
#include "tools/commands.h"
#include "tools/data_options.h"
#include "tools/embedded.h"
#include "tools/launched.h"
#include "tools/live_server.h"
#include "tools/options.h"
#include "tools/stop_signals.h"
#include "train/settings/settings.h"
#include "train/trainer.h"

namespace twinage {
namespace {

struct TrainArguments {
  std::string data, val, split, preset, recipe, loss, out, config, from, freeze;
  double minutes = 0, epochs = 0;
  Index steps = 0, batch = 0, fold = 0;
  std::uint64_t seed = 1;
  bool resume = false, shard_optimizer = false;
  std::string live;  // port; empty: not
  std::string exchange = "ordered";
  std::vector<std::string> settings;
  DataOptions dataset;
  DeviceOptions device;
};

constexpr const char* kHelp =
    "Trains a network on a folder of faces and writes everything to RUN: the model,\n"
    "its reference gallery and calibration, the configuration, the curves.\n\n"
    "A laptop, one hour:  twinage train --data faces --minutes 60 --out run\n"
    "The paper's recipe:  twinage train --data faces --recipe paper --epochs 30 --out run\n"
    "After an interrupt:  twinage train --out run --resume\n"
    "Everything that can be set, and what it is for: twinage train --settings\n"
    "Any of it:           --set loss.margin=3 --set augment.erase=0\n"
    "Several processes:   mpirun -n 4 twinage train --set training.shards=8 ...\n"
    "One for each GPU:    mpirun -n 4 twinage train --device cuda ...\n\n"
    "With --steps or --epochs the same seed gives the same bits, for any number of\n"
    "threads and processes, stopped and resumed or not.";

// The configuration: recipe or file first (RUN/config.toml when resuming), then single options.
TrainConfig configuration(const CLI::App& command, const TrainArguments& a) {
  const auto given = [&](const char* option) { return command.count(option) > 0; };
  if (given("--recipe") && (given("--config") || a.resume))
    throw UsageError(
        "[train] --recipe sets every value anew, and so does --config or the run that is resumed: "
        "leave out one of them");
  TrainConfig c;
  if (given("--config")) {
    c = config_from_toml(read_text_file(a.config), a.config);
  } else if (a.resume) {
    const auto path = RunDirectory(a.out).config();
    require(std::filesystem::exists(path), "[train] {} holds no run to resume", a.out);
    c = config_from_toml(read_text_file(path), path.string());
  }
  if (given("--recipe")) c = recipe(a.recipe);
  if (given("--data")) c.data = a.data;
  if (given("--val")) c.val = a.val;
  if (given("--split")) c.split = a.split;
  if (given("--fold")) c.fold = a.fold;
  if (given("--format")) c.format = a.dataset.format;
  if (given("--age-ranges")) c.age_ranges = parse<AgeRanges>(a.dataset.age_ranges);
  if (given("--preset")) c.preset = a.preset;
  if (given("--from")) c.from = a.from;
  if (given("--freeze")) c.freeze = a.freeze;
  if (given("--loss")) c.objective.head[Task::embedding].loss = {a.loss};
  if (given("--batch")) c.batch = a.batch;
  if (given("--seed")) c.seed = a.seed;
  if (given("--minutes") || given("--epochs") || given("--steps")) {
    c.minutes = a.minutes;
    c.epochs = a.epochs;
    c.steps = a.steps;
  }
  for (const std::string& setting : a.settings) {
    const auto equals = setting.find('=');
    if (equals == std::string::npos)
      throw UsageError(fmt::format("[config] --set expects KEY=VALUE, got '{}'", setting));
    set_value(c, setting.substr(0, equals), setting.substr(equals + 1));
  }
  if (c.data.empty())
    throw UsageError("[train] --data is missing: a folder of faces or a manifest");
  return c;
}

std::string length_of(const TrainConfig& c) {
  if (c.steps > 0) return fmt::format("--steps {}", c.steps);
  return c.epochs > 0 ? fmt::format("--epochs {}", c.epochs)
                      : fmt::format("--minutes {}", c.minutes);
}

// Where ranks is not null, one of several processes that train together.
void run(const CLI::App& command, const TrainArguments& a, Ranks* ranks) {
  const TrainConfig config = configuration(command, a);
  TrainRequest request;
  request.config = config;
  request.out = a.out;
  request.resume = a.resume;
  request.shard_optimizer = a.shard_optimizer;
  request.engine = a.device.engine_options();
  request.engine.exchange = parse<Exchange>(a.exchange);
  request.stop = &stop_flag();
  request.commit = kCommit;
  request.machine = a.device.machine_text();
  if (ranks != nullptr) {
    request.engine.ranks = ranks;
    request.machine += fmt::format(" in each of {} processes", ranks->size());
  }
  std::optional<LiveServer> live;
  if (!a.live.empty() && (ranks == nullptr || ranks->is_first())) {
    live.emplace(a.out, std::stoi(a.live), [] { ask_to_stop(); });
    note("live: {}\nwith a button that stops the training: {}\n", live->url(),
         live->url_with_token());
  }
  Trainer trainer(std::move(request));
  handle_stop_signals();
  const TrainEnd end = trainer.run();
  if (end == TrainEnd::finished) return;
  note("stopped; nothing is lost. Continue: twinage train --resume --out {}{}{}\n", a.out,
       a.device.as_given(), a.exchange == "ordered" ? "" : " --exchange " + a.exchange);
  if (end == TrainEnd::stopped_in_gallery)
    note(
        "Training is over, and the model there can be used; continued, it gets all its "
        "references.\n");
  else
    note("For a model of what there is now, add --steps 1 (and {} to go on after that).\n",
         length_of(config));
  throw CLI::RuntimeError(kStopped);
}

}  // namespace

void add_train_command(CLI::App& app) {
  CLI::App* command = app.add_subcommand("train", "train a network on faces");
  command->footer(fmt::format("{}\n\nLosses of each head (--loss is the embedding's):\n{}", kHelp,
                              losses_table()));
  auto a = std::make_shared<TrainArguments>();
  command->add_option("--data", a->data, "training faces: a folder or a CSV manifest");
  command->add_option("--val", a->val, "faces to validate on; never trained on");
  command->add_option("--split", a->split, "which faces of --data to train on: 'twinage split'")
      ->type_name("FILE");
  command->add_option("--fold", a->fold, "of a split into folds the one that is left out")
      ->check(CLI::NonNegativeNumber)
      ->default_str("0");
  a->dataset.add_to(*command);
  command->add_option("--out", a->out, "run directory to create")->required()->type_name("RUN");
  command->add_option("--preset", a->preset, preset_choices())->default_str("tiny");
  command
      ->add_option("--from", a->from, "begin with these weights, not random ones: a file, or a RUN")
      ->type_name("FILE");
  command->add_option("--freeze", a->freeze, "of these leave alone: stem, or so many blocks: 3")
      ->default_str("none");
  command->add_option("--minutes", a->minutes, "how long to train")->check(CLI::PositiveNumber);
  command->add_option("--epochs", a->epochs, "how long to train")->check(CLI::PositiveNumber);
  command->add_option("--steps", a->steps, "how long to train")->check(CLI::PositiveNumber);
  command->add_option("--recipe", a->recipe, listed(recipe_names()))->default_str("default");
  command->add_option("--loss", a->loss,
                      "of the distances: " + listed(loss_names(Task::embedding)));
  command->add_option("--batch", a->batch, "faces a step, even")->default_str("64");
  command->add_option("--seed", a->seed, "of everything random")->default_str("1");
  command->add_option("--config", a->config, "a config.toml to start from")->type_name("FILE");
  command->add_option("--set", a->settings, "any value of the configuration")
      ->type_name("KEY=VALUE");
  command->add_flag_callback(
      "--settings",
      [a] {
        print_result("{}", settings_table(recipe(a->recipe.empty() ? "default" : a->recipe)));
        throw CLI::Success();
      },
      "list all settings, of --recipe, with defaults and what they are for");
  command->add_flag("--resume", a->resume, "continue the run in RUN");
  command->add_flag("--shard-optimizer", a->shard_optimizer,
                    "of several processes (mpirun) each keeps ADADELTA's state of its part of the "
                    "parameters only");
  command
      ->add_option("--exchange", a->exchange,
                   "how several GPUs add up their gradients: ordered, to the same bits for any "
                   "number of them, or nccl, by NCCL's own sums")
      ->check(CLI::IsMember({"ordered", "nccl"}))
      ->capture_default_str();
  command
      ->add_flag("--live{8765}", a->live,
                 "show the run to browsers of this machine while it is trained; --live=PORT: "
                 "another port than 8765, 0 a free one")
      ->type_name("=PORT")
      ->check(CLI::Range(0, 65535));
  a->device.add_to(*command);
  command->callback(
      [command, a] { run_launched([&](Ranks* ranks) { run(*command, *a, ranks); }); });
}

}  // namespace twinage
