#include <memory>

#include "core/error.h"
#include "core/output.h"
#include "tools/commands.h"
#include "tools/data_options.h"
#include "tools/experiments/report.h"
#include "tools/experiments/session.h"
#include "tools/options.h"
#include "tools/stop_signals.h"

namespace twinage {
namespace {

struct ExperimentArguments {
  std::string name, out, protocol;
  CommonOptions common;
  Index seeds = 1;
  int jobs = 1;
  std::vector<std::string> rows;
  bool dry_run = false, only_table = false, measure_again = false;
  DataOptions dataset;
  DeviceOptions device;
};

constexpr const char* kHelp =
    "Runs one of the paper's experiments on your faces: trains a network for each row\n"
    "and seed, measures it on --val, and writes results.md, results.json and pictures\n"
    "to FOLDER, our figures beside the published ones with the protocol of each.\n\n"
    "  twinage experiment losses --data faces --val others --minutes 10 --out losses\n"
    "  ... --dry-run                             how many runs, how long, how much disk\n\n"
    "Stopped by Ctrl-C or killed, the same command goes on where it was; a run that\n"
    "failed is tried again. --rows and --seeds may change from call to call, and the\n"
    "table keeps what was done. What each shows, and what it costs: docs/experiments.md";

SessionRequest request_of(const ExperimentArguments& a) {
  SessionRequest request;
  request.experiment = a.name;
  request.common = a.common;
  request.common.format = a.dataset.format;
  request.common.age_ranges = parse<AgeRanges>(a.dataset.age_ranges);
  request.protocol = a.protocol;
  request.rows = a.rows;
  request.seeds = a.seeds;
  request.jobs = a.jobs;
  request.engine = a.device.engine_options();
  request.device = a.device.device;
  DeviceOptions of_each = a.device;
  of_each.threads = 0;  // the session says how many a run has
  for (std::string words = of_each.as_given(); !words.empty();) {
    const auto end = std::min(words.find(' ', 1), words.size());
    request.device_arguments.push_back(words.substr(1, end - 1));
    words.erase(0, end);
  }
  request.out = a.out;
  request.measure_again = a.measure_again;
  request.stop = &stop_flag();
  return request;
}

void print_table(const Results& results) {
  print_result("{}", table_of(results, published_figures()));
}

void run(const CLI::App& command, const ExperimentArguments& a) {
  experiment(a.name);  // before anything else: a wrong name is said
  if (a.only_table) {
    const Results results = read_results(a.out);
    if (results.experiment != a.name)
      throw UsageError(fmt::format("[experiment] {} holds the results of {}, not of {}", a.out,
                                   results.experiment, a.name));
    write_report(a.out, results);
    return print_table(results);
  }
  if (a.common.data.empty())
    throw UsageError("[experiment] --data is missing: a folder of faces or a manifest");
  if ((command.count("--minutes") > 0) == (command.count("--steps") > 0))
    throw UsageError("[experiment] say how long each run is: --minutes or --steps");
  Session session(request_of(a));
  if (a.dry_run) return print_result("{}", session.cost_text());
  note("{}", session.cost_text());
  handle_stop_signals();
  const Session::End end = session.run();
  print_table(session.results());
  if (end == Session::End::stopped) {
    note("stopped; nothing is lost. The same command goes on.\n");
    throw CLI::RuntimeError(kStopped);
  }
  note("{} has the tables, the pictures and the runs\n", a.out);
  require(end == Session::End::done,
          "[experiment] some runs failed: {}/results.md says which and why, the logs in {}/runs "
          "the rest; the same command tries them again",
          a.out, a.out);
}

}  // namespace

void add_experiment_command(CLI::App& app) {
  CLI::App* command = app.add_subcommand("experiment", "run one of the paper's experiments");
  command->footer(fmt::format("{}\n\nExperiments:\n{}", kHelp, experiments_help()));
  auto a = std::make_shared<ExperimentArguments>();
  command->add_option("NAME", a->name, "which one")->required();
  command->add_option("--data", a->common.data, "training faces: a folder or a list");
  command->add_option("--val", a->common.val,
                      "faces to measure with; if absent, a random tenth of --data");
  a->dataset.add_to(*command);
  command->add_option("--out", a->out, "of tables, pictures and runs")
      ->required()
      ->type_name("FOLDER");
  command->add_option("--minutes", a->common.minutes, "of each run")->check(CLI::PositiveNumber);
  command->add_option("--steps", a->common.steps, "of each run")->check(CLI::PositiveNumber);
  command->add_option("--seeds", a->seeds, "runs of each row")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  command->add_option("--jobs", a->jobs, "runs at a time; they share the processors")
      ->check(CLI::Range(1, 4096))
      ->capture_default_str();
  command->add_option("--preset", a->common.preset, "of rows that name none")
      ->capture_default_str();
  command->add_option("--set", a->common.settings, "a value of every run's configuration")
      ->type_name("KEY=VALUE");
  command->add_option("--rows", a->rows, "only these, separated by commas")->delimiter(',');
  command->add_option("--protocol", a->protocol,
                      "what the table says of the faces, such as 'UTKFace, random split'");
  command->add_flag("--dry-run", a->dry_run, "say what it would cost, and do nothing");
  command->add_flag("--only-table", a->only_table,
                    "train and measure nothing: write tables and pictures anew");
  command->add_flag("--measure-again", a->measure_again, "measure also what has been measured");
  a->device.add_to(*command);
  command->callback([command, a] { run(*command, *a); });
}

}  // namespace twinage
