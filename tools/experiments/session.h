// One call of `twinage experiment`: what is left of an experiment is trained, measured and written
// down, run by run, so that whatever ends it, the next call goes on.
//
//   FOLDER/results.json, results.md, *.svg    all that is known, written anew after each run
//   FOLDER/train.csv, val.csv                 the faces, where no --val says which are measured
//   FOLDER/runs/ROW-seedN                     a run's folder, as `twinage train --out` makes it
//   FOLDER/runs/ROW-seedN.toml, .log          what it was asked, and what it said
#pragma once
#include <atomic>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "tools/experiments/child_processes.h"
#include "tools/experiments/results.h"
#include "train/model/engine.h"
#include "train/progress.h"
#include "train/run_directory.h"

namespace twinage {

struct SessionRequest {
  std::string experiment;
  CommonOptions common;           // val empty: a tenth of the faces is kept apart
  std::string protocol;           // empty: said by what is known
  std::vector<std::string> rows;  // empty: all
  Index seeds = 1;                // 1 to this
  int jobs = 1;                   // runs at a time
  EngineOptions engine;           // threads: of all runs together
  std::string device = "cpu";
  std::vector<std::string> device_arguments;  // of each run, "--device", "cuda"
  std::filesystem::path out;
  bool measure_again = false;          // also what is done
  std::string program = kThisProgram;  // of the runs
  const std::atomic<bool>* stop = nullptr;
};

class Session {
 public:
  // Reads what is in the folder, and writes nothing. Throws UsageError, before anything runs, for a
  // row or a setting that makes no sense, and where the folder is another experiment's, holds runs
  // of other settings, or files that no experiment wrote.
  explicit Session(SessionRequest request);

  // How many runs, how long, how much of the disk.
  std::string cost_text() const;

  enum class End { done, failed, stopped };
  End run();
  const Results& results() const { return results_; }

 private:
  struct Task {
    RunResult* result;  // in results_
    TrainConfig config;
    std::filesystem::path folder;
  };
  void plan();
  void check_folder();
  void take_over(const Results& before);
  void check_configuration(const Task& task) const;
  void prepare_folder();
  Job job_of(const Task& task) const;
  bool wanted(const Task& task) const;
  void measure_trained();
  bool measure(const Task& task);
  void ended(const Task& task, const JobEnd& end, const std::filesystem::path& log);
  void show(std::size_t running);
  double fraction() const;
  void say(const Task& task, const std::string& what);
  bool stopped() const { return request_.stop != nullptr && *request_.stop; }

  SessionRequest request_;
  const Experiment& experiment_;
  Results results_;
  std::vector<Task> tasks_;
  bool own_split_ = false;
  std::string all_faces_;  // --data, where the split is our own
  std::unique_ptr<RunLock> lock_;
  std::unique_ptr<Progress> bar_;
  double shown_ = 0;  // seconds of the clock
};

// Reads FOLDER/results.json. Throws Error where there is none.
Results read_results(const std::filesystem::path& folder);

// How far a run is by the last record of its metrics.jsonl: 0 to 1.
double fraction_done(const std::filesystem::path& metrics, const TrainConfig& config);
// The last line of a run's log, without the program's name.
std::string last_line_of(const std::filesystem::path& log);

}  // namespace twinage
