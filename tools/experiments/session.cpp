#include "tools/experiments/session.h"

#include <algorithm>
#include <chrono>
#include <ctime>
#include <fstream>
#include <set>

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/files.h"
#include "core/output.h"
#include "core/parallel.h"
#include "core/processors.h"
#include "tools/embedded.h"
#include "tools/experiments/measure.h"
#include "tools/experiments/own_split.h"
#include "tools/experiments/published.h"
#include "tools/experiments/report.h"
#include "tools/experiments/report_text.h"
#include "train/settings/settings.h"
#include "train/state_file.h"

namespace twinage {
namespace fs = std::filesystem;
namespace {

constexpr std::uint64_t kRoom = 1 << 20;  // bytes: of tables and pictures
constexpr double kShownEvery = 1;         // seconds

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::string today() {
  const std::time_t seconds = std::time(nullptr);
  std::tm utc{};
  ::gmtime_r(&seconds, &utc);
  char text[16];
  std::strftime(text, sizeof text, "%Y-%m-%d", &utc);
  return text;
}

// Bytes of a run's folder: state and model, nearly.
double bytes_of_run(const TrainConfig& c) {
  TwinNetwork network(preset(c.preset), c.embedding, c.objective.heads);
  return 1.25 * static_cast<double>(bytes_of_state(network.parameters()));
}

std::string plural(Index count, const std::string& what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

fs::path with_ending(const fs::path& folder, const char* ending) {
  return folder.string() + ending;
}

}  // namespace

Results read_results(const fs::path& folder) {
  const fs::path path = folder / "results.json";
  require(fs::exists(path), "[experiment] {} holds no results of an experiment", folder.string());
  return results_from_json(read_text_file(path), path.string());
}

double fraction_done(const fs::path& metrics, const TrainConfig& config) {
  constexpr std::streamoff kTail = 4096;  // more than a record
  std::ifstream in(metrics, std::ios::binary | std::ios::ate);
  if (!in) return 0;
  const std::streamoff size = in.tellg();
  in.seekg(std::max<std::streamoff>(0, size - kTail));
  double fraction = 0;
  for (std::string line; std::getline(in, line);) {
    const auto record = nlohmann::json::parse(line, nullptr, false);
    if (!record.is_object()) continue;
    if (config.steps > 0)
      fraction = record.value("step", 0.0) / static_cast<double>(config.steps);
    else
      fraction = record.value("seconds", 0.0) / (60 * config.minutes);
  }
  return std::clamp(fraction, 0.0, 1.0);
}

std::string last_line_of(const fs::path& log) {
  std::ifstream in(log, std::ios::binary);
  std::string last;
  for (std::string line; std::getline(in, line);) {
    const auto redrawn = line.rfind('\r');
    if (redrawn != std::string::npos) line.erase(0, redrawn + 1);
    if (!line.empty()) last = line;
  }
  constexpr std::string_view kName = "twinage: ";
  return last.starts_with(kName) ? last.substr(kName.size()) : last;
}

Session::Session(SessionRequest request)
    : request_(std::move(request)), experiment_(experiment(request_.experiment)) {
  const int cores = hardware_threads();
  int& threads = request_.engine.threads;
  if (threads == 0) threads = cores;
  if (request_.jobs < 1 || request_.jobs > threads)
    throw UsageError(fmt::format("[experiment] --jobs is {}: 1 to {} (processors to use)",
                                 request_.jobs, threads));
  CommonOptions& common = request_.common;
  own_split_ = common.val.empty();
  if (own_split_) {
    all_faces_ = common.data;
    common.data = (request_.out / "train.csv").string();
    common.val = (request_.out / "val.csv").string();
  }
  results_.experiment = experiment_.name;
  results_.common = common;
  results_.protocol = request_.protocol;
  if (results_.protocol.empty())
    results_.protocol =
        own_split_ ? fmt::format("{}, a random tenth kept apart to measure with", all_faces_)
                   : fmt::format("{}, trained on {}", common.val, common.data);
  results_.seeds = request_.seeds;
  results_.jobs = request_.jobs;
  results_.threads_a_run = threads / request_.jobs;
  results_.cores = cores;
  results_.device = request_.device;
  results_.processor = processor_name();
  results_.commit = kCommit;
  results_.date = today();
  plan();
}

// The runs, the first seed of all rows before the second: the table is whole early.
void Session::plan() {
  std::vector<std::pair<const ExperimentRow*, std::uint64_t>> runs;
  for (std::uint64_t seed = 1; seed <= static_cast<std::uint64_t>(request_.seeds); ++seed)
    for (const ExperimentRow& row : experiment_.rows)
      if (request_.rows.empty() ||
          std::ranges::find(request_.rows, row.name) != request_.rows.end())
        runs.emplace_back(&row, seed);
  for (const std::string& name : request_.rows) row_of(experiment_, name);
  for (const auto& [row, seed] : runs) {
    RunResult run;
    run.row = row->name;
    run.seed = seed;
    results_.runs.push_back(run);
  }
  check_folder();
  for (const auto& [row, seed] : runs) {
    const fs::path folder = request_.out / "runs" / fmt::format("{}-seed{}", row->name, seed);
    tasks_.push_back(
        {results_.find(row->name, seed), config_of(*row, results_.common, seed), folder});
    check_configuration(tasks_.back());
  }
}

void Session::check_folder() {
  std::error_code missing;
  if (!fs::exists(request_.out, missing)) return;
  const fs::path path = request_.out / "results.json";
  const std::string start = beginning_of(path, kResultsTitle.size());
  if (start != kResultsTitle) {
    if (fs::is_directory(request_.out, missing) && fs::is_empty(request_.out, missing)) return;
    throw UsageError(
        fmt::format("[experiment] {} holds files that no experiment wrote: choose another --out",
                    request_.out.string()));
  }
  take_over(read_results(request_.out));
}

// What an earlier call found stays, also of rows and seeds that this one does not ask for.
void Session::take_over(const Results& before) {
  const std::string ours = command_of(results_), theirs = command_of(before);
  Results same = before;
  same.jobs = results_.jobs;
  same.seeds = results_.seeds;
  if (before.experiment != results_.experiment || command_of(same) != ours)
    throw UsageError(fmt::format(
        "[experiment] {} holds the runs of another call: choose another --out, or go on with "
        "'{}'",
        request_.out.string(), theirs));
  if (request_.protocol.empty()) results_.protocol = before.protocol;
  results_.seeds = std::max(results_.seeds, before.seeds);
  for (const RunResult& run : before.runs) {
    RunResult* here = results_.find(run.row, run.seed);
    if (here != nullptr)
      *here = run;
    else
      results_.runs.push_back(run);
  }
}

// A run that was begun has what it was asked beside it; a program of another version may ask
// otherwise.
void Session::check_configuration(const Task& task) const {
  const fs::path path = with_ending(task.folder, ".toml");
  if (!fs::exists(path)) return;
  TrainConfig here = task.config, there = config_from_toml(read_text_file(path), path.string());
  const std::vector<Setting> ours = settings_of(here), theirs = settings_of(there);
  for (std::size_t i = 0; i < ours.size(); ++i)
    if (ours[i].text() != theirs[i].text())
      throw UsageError(fmt::format(
          "[experiment] {} was begun with {} = {}, and now it would be {}: choose another --out",
          task.folder.string(), ours[i].key, theirs[i].text(), ours[i].text()));
}

bool Session::wanted(const Task& task) const {
  const RunProgress progress = task.result->progress;
  return progress == RunProgress::left || progress == RunProgress::failed;
}

std::string Session::cost_text() const {
  Index left = 0, unmeasured = 0;
  double bytes = 0;
  std::set<std::string> rows;
  for (const Task& task : tasks_) {
    rows.insert(task.result->row);
    unmeasured +=
        !wanted(task) && (request_.measure_again || task.result->progress == RunProgress::trained);
    if (!wanted(task)) continue;
    ++left;
    bytes += bytes_of_run(task.config);
  }
  const auto all = static_cast<Index>(tasks_.size());
  std::string text =
      fmt::format("experiment {}: {} ({}, {}), {} of them done, {} to do", experiment_.name,
                  plural(all, "run"), plural(static_cast<Index>(rows.size()), "row"),
                  plural(request_.seeds, "seed"), all - left, left);
  if (unmeasured > 0) text += fmt::format(", {} to measure", unmeasured);
  if (left == 0) return text + "\n";
  text += fmt::format(";\n{}, {} at a time with {} each", budget_text(results_.common),
                      request_.jobs, plural(results_.threads_a_run, "thread"));
  const Index rounds = (left + request_.jobs - 1) / request_.jobs;
  if (results_.common.minutes > 0)
    text += fmt::format(": about {}",
                        duration_text(60 * results_.common.minutes * static_cast<double>(rounds)));
  else
    text += ": how long is known when the first of them are under way";
  return text + fmt::format(", and {:.1f} GB of disk\n", bytes / 1e9);
}

void Session::prepare_folder() {
  lock_ = std::make_unique<RunLock>(RunDirectory(request_.out), kRoom);
  if (own_split_ && !fs::exists(results_.common.val)) {
    CommonOptions all = results_.common;
    all.data = all_faces_;
    write_own_split(request_.out, all);
  }
  std::error_code problem;
  fs::create_directories(request_.out / "runs", problem);
  require(!problem, "[experiment] cannot create {}: {}", (request_.out / "runs").string(),
          problem.message());
  for (const Task& task : tasks_)
    if (wanted(task))
      write_file_atomically(with_ending(task.folder, ".toml"), to_toml(task.config));
  write_report(request_.out, results_);
}

Job Session::job_of(const Task& task) const {
  Job job{{"train", "--out", task.folder.string(), "--threads",
           fmt::format("{}", results_.threads_a_run)},
          with_ending(task.folder, ".log")};
  job.arguments.insert(job.arguments.end(), request_.device_arguments.begin(),
                       request_.device_arguments.end());
  if (fs::exists(RunDirectory(task.folder).state())) {
    job.arguments.emplace_back("--resume");
  } else {
    job.arguments.emplace_back("--config");
    job.arguments.push_back(with_ending(task.folder, ".toml").string());
  }
  return job;
}

Session::End Session::run() {
  prepare_folder();
  bar_ = std::make_unique<Progress>("experiment " + experiment_.name, 60);
  bar_->update(fraction(), "");
  measure_trained();
  std::vector<const Task*> left;
  std::vector<Job> jobs;
  for (const Task& task : tasks_) {
    if (!wanted(task) || stopped()) continue;
    left.push_back(&task);
    jobs.push_back(job_of(task));
  }
  const std::atomic<bool> never{false};
  std::size_t running = 0;
  JobHooks hooks;
  hooks.begun = [&](std::size_t) { ++running; };
  hooks.ended = [&](std::size_t job, const JobEnd& end) {
    --running;
    ended(*left[job], end, jobs[job].log);
  };
  hooks.waiting = [&] { show(running); };
  run_jobs(request_.program, jobs, static_cast<std::size_t>(request_.jobs),
           request_.stop != nullptr ? *request_.stop : never, hooks);
  bar_.reset();
  write_report(request_.out, results_);
  bool all_done = true, any_failed = false;
  for (const Task& task : tasks_) {
    all_done = all_done && task.result->progress == RunProgress::done;
    any_failed = any_failed || task.result->progress == RunProgress::failed;
  }
  if (stopped() && !all_done) return End::stopped;
  return any_failed || !all_done ? End::failed : End::done;
}

// Those that an earlier call trained, and was ended before it could measure them.
void Session::measure_trained() {
  for (const Task& task : tasks_) {
    RunProgress& progress = task.result->progress;
    if (request_.measure_again && progress == RunProgress::done) progress = RunProgress::trained;
    if (progress == RunProgress::trained && !stopped()) measure(task);
  }
}

bool Session::measure(const Task& task) {
  RunResult& result = *task.result;
  try {
    EngineOptions engine = request_.engine;
    engine.threads = results_.threads_a_run;
    if (!measure_run(result,
                     {task.folder, results_.common, experiment_.measures, engine, request_.stop}))
      return false;
    result.progress = RunProgress::done;
    result.reason.clear();
  } catch (const Error& error) {
    result.progress = RunProgress::failed;
    result.reason = error.what();
  }
  write_report(request_.out, results_);
  const auto mae = result.figure("mae");
  say(task, mae ? fmt::format("done: MAE {:.2f} years", *mae) : "failed: " + result.reason);
  return true;
}

void Session::ended(const Task& task, const JobEnd& end, const fs::path& log) {
  RunResult& result = *task.result;
  constexpr int kSaved = 130;  // how train ends after a signal
  if (end.code == 0) {
    result.progress = RunProgress::trained;
    write_file_atomically(request_.out / "results.json", to_json_text(results_));
    if (!stopped()) measure(task);
    return;
  }
  if (end.code == kSaved && stopped()) {
    result.progress = RunProgress::left;
    return;
  }
  result.progress = RunProgress::failed;
  const std::string last = last_line_of(log);
  result.reason = last.empty() ? fmt::format("exit code {}", end.code) : last;
  write_report(request_.out, results_);
  say(task, "failed: " + result.reason);
}

void Session::say(const Task& task, const std::string& what) {
  bar_->line(fmt::format("{}, seed {}: {}", task.result->row, task.result->seed, what));
}

double Session::fraction() const {
  double sum = 0;
  for (const Task& task : tasks_)
    sum += wanted(task) && task.result->progress != RunProgress::failed
               ? fraction_done(RunDirectory(task.folder).metrics(), task.config)
               : 1;
  return sum / static_cast<double>(tasks_.size());
}

void Session::show(std::size_t running) {
  if (now() - shown_ < kShownEvery) return;
  shown_ = now();
  Index done = 0, failed = 0;
  for (const Task& task : tasks_) {
    done += task.result->progress == RunProgress::done;
    failed += task.result->progress == RunProgress::failed;
  }
  const Index left =
      static_cast<Index>(tasks_.size()) - done - failed - static_cast<Index>(running);
  bar_->update(fraction(), fmt::format("{} done, {} running, {} left{}", done, running,
                                       std::max<Index>(0, left),
                                       failed > 0 ? fmt::format(", {} failed", failed) : ""));
}

}  // namespace twinage
