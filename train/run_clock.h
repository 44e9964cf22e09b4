// How far a run is, by its steps or by the clock, and when the next validation is due.
#pragma once
#include <functional>

#include "train/run_state.h"
#include "train/settings/config.h"

namespace twinage {

class RunClock {
 public:
  using Now = std::function<double()>;  // seconds since any moment

  // A run of config.epochs sees `training_faces` an epoch.
  RunClock(const TrainConfig& config, Index training_faces, Now now = seconds_of_the_system);

  // From here on time is counted, after the `before` seconds of earlier sessions.
  void start(double before);
  double elapsed() const;  // seconds of training, over all sessions

  // In [0, 1]; a run by minutes whose steps are all done is at 1, whatever the clock says.
  double progress(const RunState& state) const;
  bool by_minutes() const { return minutes_ > 0; }
  // [ours] So many seconds of a run by minutes are for what comes after its last step, but never
  // more than half of the run.
  void reserve(double seconds);
  double reserved() const { return reserve_; }

  // [ours] Every training.validate_steps; if that is 0, about fifteen times a run, and by the clock
  // no more often than a twentieth of the time allows.
  bool validation_due(const RunState& state) const;
  void validation_took(double seconds) { validation_seconds_ = seconds; }

  static double seconds_of_the_system();

 private:
  double minutes_, steps_;  // of the run; one of them is above 0
  Index validate_steps_;
  Now now_;
  double start_ = 0, before_ = 0, reserve_ = 0, validation_seconds_ = 0;
};

}  // namespace twinage
