// The training loop.
#pragma once
#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <vector>

#include "siamese/objective.h"
#include "siamese/twin_network.h"
#include "train/faces/face_dataset.h"
#include "train/faces/loader.h"
#include "train/faces/split.h"
#include "train/gallery_plan.h"
#include "train/metrics_log.h"
#include "train/model/embedder.h"
#include "train/model/engine.h"
#include "train/model/weights.h"
#include "train/optimizer.h"
#include "train/progress.h"
#include "train/run_directory.h"
#include "train/settings/config.h"
#include "train/step_factor.h"
#include "train/training_step.h"

namespace twinage {

struct TrainRequest {
  TrainConfig config;
  std::filesystem::path out;
  bool resume = false;
  EngineOptions engine;
  // Set from outside (a signal) to end cleanly after the current step, or in the middle of a
  // validation or of the gallery. May be null.
  const std::atomic<bool>* stop = nullptr;
};

enum class TrainEnd {
  finished,
  stopped,             // before the last step or its validation
  stopped_in_gallery,  // training is over; the model there is a first one, of few references
};

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

  // Trains, validates, checkpoints, and at the end writes the model: a first one at once, and the
  // finished one in its place. Throws Error with the state saved when a picture can no longer be
  // read; a checkpoint that cannot be written is tried again at the next, the last one must be.
  TrainEnd run();

 private:
  struct Sums {  // of the steps since the last record
    double total = 0;
    ByTask<double> loss, figure;
    Index steps = 0;
  };

  void require_folder() const;
  std::uint64_t bytes_of_state();
  void find_and_split_faces();
  // What a state holds besides the weights: two that agree in it are the same.
  struct Mark {
    std::uint64_t step = 0, last_validation = 0;
    bool over = false, validation_pending = false;
    bool operator==(const Mark&) const = default;
  };

  void resume_from_state();
  void save_state();  // throws Error when it cannot be written
  void checkpoint();  // says so instead
  bool checkpoint_due() const;
  void guard_weights();
  void write_state();
  Mark mark() const { return {step_, last_validation_, over_, validation_pending_}; }
  BatchPlan batch_plan() const;
  double progress() const;         // in [0, 1]
  double elapsed_seconds() const;  // of training, over all sessions of the run
  bool validation_due() const;
  bool stopped() const { return request_.stop != nullptr && request_.stop->load(); }
  void reserve_time();  // of a run by minutes, for what comes after its last step
  void reserve_time(double seconds_of_a_run);  // of the network, for one face

  void train(Progress& bar);
  void train_to_the_end();
  [[noreturn]] void end_saved(std::exception_ptr reason);
  void guard_finite(const ObjectiveValue& value) const;
  void record_steps(const ObjectiveValue& value, double factor, Progress& bar);
  bool validate(Progress& bar);  // false: stopped in the middle, to be done anew
  void validate_now(Progress& bar);
  Index faces_of_validation() const;
  void keep_if_best(const Validation& validation);
  Validation validation_of(const FaceDataset& dataset, const FaceStore& store,
                           std::span<const Index> faces, const Gallery& gallery);
  Embedded embed_or_stop(const FaceStore& store, std::span<const Index> faces);
  Gallery make_gallery(std::span<const Index> faces, Tensor embeddings) const;

  TrainEnd finish();
  void embed_gallery(const GalleryPlan& plan, Embedded& so_far);
  void write_model(const GalleryPlan& plan, const Embedded& embedded);
  bool model_is_of_best_step() const;
  std::string gallery_key(const GalleryPlan& plan) const;
  void save_gallery(const GalleryPlan& plan, const Embedded& so_far) const;
  Embedded load_gallery(const GalleryPlan& plan) const;

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
  double reserve_ = 0;             // seconds of a run by minutes that its end will take
  bool over_ = false;              // all steps are done
  bool validation_pending_ = false;
  Mark saved_;  // of the last state written or read
  std::chrono::steady_clock::time_point start_, checkpoint_time_;
  std::uint64_t best_step_ = 0;
  double best_mae_ = 0;
  WeightsCopy best_;
  Sums sums_;
  double recorded_at_ = 0;
};

}  // namespace twinage
