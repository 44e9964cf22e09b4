// The steps of training as metrics.jsonl and the terminal tell of them: means over some steps, each
// head's loss by its name.
#pragma once
#include <optional>

#include <nlohmann/json.hpp>

#include "siamese/objective.h"
#include "train/settings/config.h"

namespace twinage {

class StepLog {
 public:
  StepLog(const TrainConfig& config, Index training_faces)
      : config_(config), training_faces_(training_faces) {}

  // The rate counts from here on: to be called when training begins, with the seconds that the run
  // has lasted.
  void start(double seconds) { recorded_at_ = seconds; }
  // What is no training (a validation) takes no part in the rate.
  void leave_out(double seconds) { recorded_at_ += seconds; }

  // The step that is done now, `seconds` into the run. A record every training.record_steps.
  std::optional<nlohmann::ordered_json> add(const ObjectiveValue& value, std::uint64_t step,
                                            double factor, double seconds);
  // "epoch 1.2  loss 0.1234  420 images/s", of the last add().
  const std::string& line() const { return line_; }

 private:
  struct Sums {  // of the steps since the last record
    double total = 0;
    ByTask<double> loss, figure;
    Index steps = 0;
  };
  const TrainConfig& config_;
  Index training_faces_;
  double recorded_at_ = 0;
  Sums sums_;
  std::string line_;
};

}  // namespace twinage
