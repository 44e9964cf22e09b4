// The trainer's memory between two sessions of a run: RUN/state.safetensors.
#include <cmath>

#include "core/error.h"
#include "core/isa.h"
#include "core/output.h"
#include "kernels/elementwise/elementwise.h"
#include "train/trainer.h"

namespace twinage {
namespace {

constexpr const char* kFormat = "twinage-state-3";
constexpr const char* kGalleryFormat = "twinage-gallery-1";

// What the run was computed with: no part of the configuration, because a run may move to another
// machine, but its bits depend on it.
std::string arithmetic_of(const Context& ctx) {
  // Instruction sets add in lanes of their own; only the CPU's kernels have them.
  return fmt::format("device {} in {}{}{}", to_string(ctx.device), to_string(ctx.math),
                     ctx.vendor ? " by the vendor's kernels" : "",
                     ctx.device == Device::cpu ? " with " + to_string(isa()) : "");
}

std::string joined(const std::vector<std::string>& lines) {
  return fmt::format("{}", fmt::join(lines, "; "));
}

}  // namespace

void Trainer::guard_weights() {
  for (const Parameter* p : network_.parameters())
    require(all_finite(engine_.context(), p->value.view()),
            "[train] {} is no longer finite after step {}: the last good state is that of step {} "
            "in {}; train anew with a smaller optimizer.factor",
            p->name, step_, last_checkpoint_, directory_.folder().string());
}

void Trainer::save_state() {
  if (mark() == saved_ && step_ > 0) return;
  guard_weights();
  try {
    write_state();
  } catch (const Error& error) {
    fail("[train] the state of step {} could not be saved ({}): {} holds that of step {}", step_,
         error.what(), directory_.folder().string(), last_checkpoint_);
  }
}

void Trainer::checkpoint() {
  guard_weights();
  try {
    write_state();
  } catch (const Error& error) {
    note(
        "note: the state of step {} could not be saved ({}): training goes on, and the next "
        "checkpoint tries again\n",
        step_, error.what());
  }
  checkpoint_time_ = std::chrono::steady_clock::now();
}

void Trainer::write_state() {
  const auto parameters = network_.parameters();
  log_->flush();
  SafetensorsWriter writer;
  writer.set_metadata("format", kFormat);
  writer.set_metadata("config", to_toml(request_.config, Keys::needed));
  writer.set_metadata("arithmetic", arithmetic_of(engine_.context()));
  if (over_) writer.set_metadata("training", "over");
  if (validation_pending_) writer.set_metadata("validation", "pending");
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
  saved_ = mark();
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
    note("note: until step {} this run was computed on {}, from here on {}\n", counters[0], before,
         now);
  step_ = last_checkpoint_ = static_cast<std::uint64_t>(counters[0]);
  last_validation_ = static_cast<std::uint64_t>(counters[1]);
  best_step_ = static_cast<std::uint64_t>(counters[2]);
  seconds_before_ = measures[0];
  best_mae_ = measures[1];
  validated_at_ = measures[2];
  load_weights(file, network_.parameters());
  optimizer_.load(file);
  if (best_step_ > 0) best_.load(file, network_.parameters(), "best.");
  validation_pending_ = file.metadata().contains("validation");
  // Longer than then, or shorter: training goes on, or its end comes by the steps.
  over_ = file.metadata().contains("training") && request_.config.minutes == then.minutes;
  saved_ = {step_, last_validation_, over_, validation_pending_};
}

// What the embeddings of an unfinished gallery depend on.
std::string Trainer::gallery_key(const GalleryPlan& plan) const {
  return fmt::format("step {} of {}, error {}, faces {}, {} + {}, looks {} {}, {}", best_step_,
                     step_, best_mae_, fingerprint(faces_.faces), plan.references, plan.held_out,
                     plan.mirror, plan.zooms, arithmetic_of(engine_.context()));
}

void Trainer::save_gallery(const GalleryPlan& plan, const Embedded& so_far) const {
  SafetensorsWriter writer;
  writer.set_metadata("format", kGalleryFormat);
  writer.set_metadata("key", gallery_key(plan));
  const std::int64_t done[] = {so_far.done};
  writer.add("done", std::span<const std::int64_t>(done), {1});
  writer.add("female", so_far.female, {static_cast<Index>(so_far.female.size())});
  if (!so_far.z.empty()) save_tensor(writer, "z", so_far.z);
  if (!so_far.ages.empty()) save_tensor(writer, "ages", so_far.ages);
  writer.write(directory_.gallery());
}

Embedded Trainer::load_gallery(const GalleryPlan& plan) const {
  if (!std::filesystem::exists(directory_.gallery())) return {};
  try {
    const auto file = SafetensorsFile::open(directory_.gallery());
    const auto key = file.metadata().find("key");
    if (key == file.metadata().end() || key->second != gallery_key(plan)) return {};
    const Index count = plan.references + plan.held_out;
    Embedded so_far;
    so_far.female = file.floats("female");
    so_far.done = file.integers("done").at(0);
    const auto load = [&](const char* name, Tensor& tensor, Task task) {
      if (!network_.has(task)) return;
      tensor = Tensor(matrix(count, network_.width(task)));
      load_tensor(file, name, tensor);
    };
    load("z", so_far.z, Task::embedding);
    load("ages", so_far.ages, Task::age);
    return so_far;
  } catch (const std::exception& error) {
    note("note: the gallery begins anew ({})\n", error.what());
    return {};
  }
}

}  // namespace twinage
