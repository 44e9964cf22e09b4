// The training loop.
#pragma once
#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <vector>

#include "siamese/objective.h"
#include "siamese/twin_network.h"
#include "train/config.h"
#include "train/embedder.h"
#include "train/engine.h"
#include "train/face_dataset.h"
#include "train/loader.h"
#include "train/metrics_log.h"
#include "train/optimizer.h"
#include "train/progress.h"
#include "train/run_directory.h"
#include "train/split.h"
#include "train/training_step.h"
#include "train/weights.h"

namespace twinage {

struct TrainRequest {
  TrainConfig config;
  std::filesystem::path out;
  bool resume = false;
  EngineOptions engine;
  // Set from outside (a signal) to end cleanly after the current step. May be null.
  const std::atomic<bool>* stop = nullptr;
};

enum class TrainEnd { finished, stopped };

// Ages and genders read from faces that were not trained on.
struct Validation {
  double mae = 0;              // years
  double gender_accuracy = 0;  // 0 to 1; NaN when no face has a gender label
};

// A run from its first to its last step. Everything random is a function of (seed, step), and the
// state file holds everything else, so a run that was killed and resumed ends in the same bits as
// one that was not. (A run whose length is given in minutes follows the clock and does not.)
class Trainer {
 public:
  // Reads the state when resuming. Throws Error or UsageError before anything is written.
  explicit Trainer(TrainRequest request);

  // Trains, validates, checkpoints, and at the end writes the model.
  TrainEnd run();

 private:
  struct Sums {  // of the steps since the last record
    double total = 0, pair = 0, gender = 0, positive_share = 0;
    Index steps = 0;
  };

  void require_folder() const;
  std::uint64_t bytes_of_state();
  void find_and_split_faces();
  void resume_from_state();
  void save_state();
  BatchPlan batch_plan() const;
  double progress() const;         // in [0, 1]
  double elapsed_seconds() const;  // of training, over all sessions of the run
  bool validation_due() const;

  void plan_training();
  void guard_finite(const ObjectiveValue& value) const;
  void record_steps(const ObjectiveValue& value, double factor, Progress& bar);
  void validate(Progress& bar);
  void keep_if_best(const Validation& validation);
  Validation validation_of(const FaceDataset& dataset, const FaceStore& store,
                           std::span<const Index> faces, const Gallery& gallery);
  Gallery make_gallery(Index most, EmbedOptions options, Progress* bar);
  void finish();

  TrainRequest request_;
  RunDirectory directory_;
  std::unique_ptr<RunLock> lock_;
  Engine engine_;
  FaceDataset faces_, val_faces_;
  std::unique_ptr<FaceStore> store_, val_store_;
  Split split_;             // of faces_
  std::vector<Index> val_;  // all of val_faces_
  TwinNetwork network_;
  AdadeltaOptimizer optimizer_;
  Objective objective_;
  TrainingStep training_step_;
  std::unique_ptr<MetricsLog> log_;

  std::uint64_t step_ = 0;  // steps done
  std::uint64_t last_validation_ = 0, last_checkpoint_ = 0;
  double seconds_before_ = 0;      // of training, in earlier sessions of this run
  double validated_at_ = 0;        // elapsed seconds
  double validation_seconds_ = 0;  // that the last validation took
  std::chrono::steady_clock::time_point start_, checkpoint_time_;
  std::uint64_t best_step_ = 0;
  double best_mae_ = 0;
  WeightsCopy best_;
  Sums sums_;
  double recorded_at_ = 0;
};

}  // namespace twinage
