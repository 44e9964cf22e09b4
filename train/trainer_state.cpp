// The trainer's memory between two sessions of a run: RUN/state.safetensors.
#include <cmath>

#include "core/error.h"
#include "kernels/elementwise/elementwise.h"
#include "train/trainer.h"

namespace twinage {
namespace {

constexpr const char* kFormat = "twinage-state-3";

// What the run was computed with: no part of the configuration, because a run may move to another
// machine, but its bits depend on it.
std::string arithmetic_of(const Context& ctx) {
  return fmt::format("device {} in {}{}", to_string(ctx.device), to_string(ctx.math),
                     ctx.vendor ? " by the vendor's kernels" : "");
}

std::string joined(const std::vector<std::string>& lines) {
  return fmt::format("{}", fmt::join(lines, "; "));
}

}  // namespace

void Trainer::save_state() {
  if (step_ == last_checkpoint_ && step_ > 0) return;
  const auto parameters = network_.parameters();
  for (const Parameter* p : parameters)
    require(all_finite(engine_.context(), p->value.view()),
            "[train] {} is no longer finite after step {}: the last good state is that of step {} "
            "in {}; train anew with a smaller optimizer.factor",
            p->name, step_, last_checkpoint_, directory_.folder().string());
  SafetensorsWriter writer;
  writer.set_metadata("format", kFormat);
  writer.set_metadata("config", to_toml(request_.config));
  writer.set_metadata("arithmetic", arithmetic_of(engine_.context()));
  const std::int64_t counters[] = {
      static_cast<std::int64_t>(step_), static_cast<std::int64_t>(last_validation_),
      static_cast<std::int64_t>(best_step_), static_cast<std::int64_t>(faces_.faces.size()),
      static_cast<std::int64_t>(fingerprint(faces_.faces))};
  const double measures[] = {elapsed_seconds(), best_mae_, validated_at_};
  writer.add("counters", std::span<const std::int64_t>(counters), {5});
  writer.add("measures", std::span<const double>(measures), {3});
  save_weights(writer, parameters);
  optimizer_.save(writer);
  best_.save(writer, parameters, "best.");
  writer.write(directory_.state());
  last_checkpoint_ = step_;
  checkpoint_time_ = std::chrono::steady_clock::now();
}

void Trainer::resume_from_state() {
  directory_.require_state();
  const auto file = SafetensorsFile::open(directory_.state());
  const auto format = file.metadata().find("format");
  require(format != file.metadata().end() && format->second == kFormat,
          "[train] {} is not the state of a run of this version of Twinage", file.path().string());
  const TrainConfig then = config_from_toml(file.metadata("config"), file.path().string());
  const auto different = differences_that_matter(request_.config, then);
  require(different.empty(), "[train] {} belongs to another run (asked for, there): {}",
          file.path().string(), joined(different));
  const auto counters = file.integers("counters");
  const auto measures = file.doubles("measures");
  require(counters.size() == 5 && measures.size() == 3, "[train] {}: wrong number of counters",
          file.path().string());
  const bool sensible = counters[0] >= 0 && counters[1] >= 0 && counters[1] <= counters[0] &&
                        counters[2] >= 0 && counters[2] <= counters[0] && measures[0] >= 0 &&
                        std::isfinite(measures[0]) && std::isfinite(measures[1]);
  require(sensible, "[train] {}: expected steps in order, got {}, the best {}, validated {}",
          file.path().string(), counters[0], counters[2], counters[1]);
  // Other faces would be split anew: some held out until now would be trained on, and the other way
  // round.
  require(static_cast<std::uint64_t>(counters[4]) == fingerprint(faces_.faces),
          "[train] the run in {} began with other faces ({} then, {} now): names, ages, genders, "
          "subjects or pictures differ; it can only be resumed with the same",
          directory_.folder().string(), counters[3], faces_.faces.size());
  const std::string before = file.metadata("arithmetic"), now = arithmetic_of(engine_.context());
  if (before != now)
    fmt::print(stderr, "note: until step {} this run was computed on {}, from here on {}\n",
               counters[0], before, now);
  step_ = last_checkpoint_ = static_cast<std::uint64_t>(counters[0]);
  last_validation_ = static_cast<std::uint64_t>(counters[1]);
  best_step_ = static_cast<std::uint64_t>(counters[2]);
  seconds_before_ = measures[0];
  best_mae_ = measures[1];
  validated_at_ = measures[2];
  load_weights(file, network_.parameters());
  optimizer_.load(file);
  if (best_step_ > 0) best_.load(file, network_.parameters(), "best.");
}

}  // namespace twinage
