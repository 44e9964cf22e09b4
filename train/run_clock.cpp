#include "train/run_clock.h"

#include <algorithm>
#include <chrono>
#include <cmath>

namespace twinage {
namespace {

constexpr double kValidationShare = 0.05;  // of a run's minutes, at most
constexpr int kValidations = 15;           // of a run, unless set
constexpr double kLargestReserve = 0.5;    // of a run's minutes, however slow its last work is

double steps_of(const TrainConfig& config, Index training_faces) {
  if (config.steps > 0) return static_cast<double>(config.steps);
  return std::ceil(config.epochs * static_cast<double>(training_faces) /
                   static_cast<double>(config.batch));
}

}  // namespace

RunClock::RunClock(const TrainConfig& config, Index training_faces, Now now)
    : minutes_(config.minutes),
      steps_(minutes_ > 0 ? 0 : steps_of(config, training_faces)),
      validate_steps_(config.validate_steps),
      now_(std::move(now)) {}

double RunClock::seconds_of_the_system() {
  const auto since = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double>(since).count();
}

void RunClock::start(double before) {
  before_ = before;
  start_ = now_();
}

double RunClock::elapsed() const {
  return before_ + (now_() - start_);
}

double RunClock::progress(const RunState& state) const {
  if (by_minutes()) return state.over ? 1.0 : std::min(1.0, elapsed() / (60 * minutes_ - reserve_));
  return std::min(1.0, static_cast<double>(state.step) / steps_);
}

void RunClock::reserve(double seconds) {
  reserve_ = std::min(seconds, kLargestReserve * 60 * minutes_);
}

bool RunClock::validation_due(const RunState& state) const {
  const std::uint64_t since = state.step - state.last_validation;
  if (validate_steps_ > 0) return since >= static_cast<std::uint64_t>(validate_steps_);
  if (by_minutes())
    return elapsed() - state.validated_at >=
           std::max(60 * minutes_ / kValidations, validation_seconds_ / kValidationShare);
  // By steps, not by the clock: which weights are best must not depend on how fast they came.
  const double share_since =
      progress(state) * static_cast<double>(since) / static_cast<double>(state.step);
  return share_since >= 1.0 / kValidations;
}

}  // namespace twinage
