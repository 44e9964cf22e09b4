// The training loop. Its parts can be read alone: the faces (run_faces.h), the clock (run_clock.h),
// a step (training_step.h), what is told of it (step_log.h), validation (validator.h), the state
// between two sessions (state_file.h), the finished model (model_maker.h).
#pragma once
#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>

#include "siamese/objective.h"
#include "siamese/twin_network.h"
#include "train/metrics_log.h"
#include "train/model/engine.h"
#include "train/model/weights.h"
#include "train/optimizer.h"
#include "train/progress.h"
#include "train/run_clock.h"
#include "train/run_directory.h"
#include "train/run_faces.h"
#include "train/run_parts.h"
#include "train/settings/config.h"
#include "train/state_file.h"
#include "train/step_log.h"
#include "train/training_step.h"
#include "train/validator.h"

namespace twinage {

struct TrainRequest {
  TrainConfig config;
  std::filesystem::path out;
  bool resume = false;
  // Of several processes each keeps the optimizer's state of its part of the parameters only (ZeRO
  // stage 1). The same bits.
  bool shard_optimizer = false;
  EngineOptions engine;
  // Set from outside (a signal) to end cleanly after the current step, or in the middle of a
  // validation or of the gallery. May be null.
  const std::atomic<bool>* stop = nullptr;
  // For people, in RUN/sessions.jsonl: which build trains, and where.
  std::string commit = "unknown", machine = "unknown";
};

enum class TrainEnd {
  finished,
  stopped,             // before the last step or its validation
  stopped_in_gallery,  // training is over; the model there is a first one, of few references
};

// A run from its first to its last step. Everything random is a function of (seed, step), and the
// state file holds everything else, so a run that was killed and resumed ends in the same bits as
// one that was not. (A run whose length is given in minutes follows the clock and does not.)
//
// Several processes (TrainRequest::engine.ranks) are one run: each has a Trainer, they go through
// it in step, and the first one writes its files (docs/many_twins.md).
class Trainer {
 public:
  // Reads the state when resuming. Throws Error or UsageError before anything is written.
  explicit Trainer(TrainRequest request);

  // Trains, validates, checkpoints, and at the end writes the model: a first one at once, and the
  // finished one in its place. Throws Error with the state saved when a picture can no longer be
  // read; a checkpoint that cannot be written is tried again at the next, the last one must be.
  TrainEnd run();

 private:
  void begin_with();  // random weights, or those of model.from
  void require_folder() const;
  void require_like_minded() const;
  void begin_files();
  void record(const nlohmann::ordered_json& line);  // in metrics.jsonl
  RunParts parts();
  RunWeights weights();
  double progress() const { return clock_->progress(state_); }

  void train(Progress& bar);
  void train_to_the_end();
  void done_step(const ObjectiveValue& value, double factor, Progress& bar);
  bool validate(Progress& bar);  // false: stopped in the middle, to be done anew
  void keep_if_best(const Validation& held_out);
  TrainEnd finish();

  void reserve_time();  // of a run by minutes, for what comes after its last step
  void reserve_time(double seconds_of_a_face);
  void guard_finite(const ObjectiveValue& value) const;
  void guard_weights();
  bool checkpoint_due() const;
  void checkpoint();  // says so when it cannot be written
  void save_state();  // throws Error instead
  void write_state();
  [[noreturn]] void end_saved(std::exception_ptr reason);

  TrainRequest request_;
  RunDirectory directory_;
  std::unique_ptr<RunLock> lock_;
  Engine engine_;
  TwinNetwork network_;
  AdadeltaOptimizer optimizer_;
  WeightsAverage average_;
  Objective objective_;
  TrainingStep training_step_;
  std::unique_ptr<const RunFaces> faces_;
  WeightsCopy best_;        // of state_.best_step
  RunState state_, saved_;  // now; of the last state written or read
  std::uint64_t last_checkpoint_ = 0;
  double checkpoint_time_ = 0;
  std::unique_ptr<RunClock> clock_;
  std::unique_ptr<StepLog> steps_;
  std::unique_ptr<MetricsLog> log_;  // of the first rank; null on the others
};

}  // namespace twinage
