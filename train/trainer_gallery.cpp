// The end of a run: the finished model's gallery, which can take minutes, in parts that can be
// stopped and resumed.
#include <algorithm>

#include "core/error.h"
#include "core/output.h"
#include "train/model/model_file.h"
#include "train/trainer.h"

namespace twinage {
namespace {

using Clock = std::chrono::steady_clock;

constexpr Index kMeasured = 64;          // faces: a batch
constexpr double kLargestReserve = 0.5;  // of a run's minutes, however slow its last work is

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

std::vector<Index> faces_of(const GalleryPlan& plan, const Split& split) {
  std::vector<Index> faces = spread(split.training, plan.references);
  const std::vector<Index> held_out = spread(split.held_out, plan.held_out);
  faces.insert(faces.end(), held_out.begin(), held_out.end());
  return faces;
}

Index count(const std::vector<Index>& indices) {
  return static_cast<Index>(indices.size());
}

}  // namespace

// Before the first validation there is nothing to go by but a batch of faces.
void Trainer::reserve_time() {
  if (request_.config.minutes == 0 || over_) return;
  const std::vector<Index> faces = spread(split_.training, kMeasured);
  const EmbedOptions options = GalleryPlan{}.options();
  embed_faces(engine_, network_, *store_, faces, options);  // the first time takes longer
  const auto start = Clock::now();
  embed_faces(engine_, network_, *store_, faces, options);
  reserve_time(seconds_since(start) / static_cast<double>(faces.size()));
  note("of the {} minutes the last {} or so are for a validation and the gallery\n",
       request_.config.minutes, duration_text(reserve_));
}

void Trainer::reserve_time(double seconds_of_a_run) {
  const TrainConfig& config = request_.config;
  const Index training = count(split_.training), held_out = count(split_.held_out);
  const double total = 60 * config.minutes;
  const GalleryPlan first = first_gallery(config, training, held_out),
                    most = unlimited_gallery(config, training, held_out);
  const double at_first = seconds_of_a_run * static_cast<double>(first.runs());
  const double all =
      first == most ? at_first : at_first + seconds_of_a_run * static_cast<double>(most.runs());
  const double gallery = std::min(all, std::max(at_first, config.gallery_share * total));
  const double validation = seconds_of_a_run * static_cast<double>(faces_of_validation());
  reserve_ = std::min(validation + gallery, kLargestReserve * total);
}

bool Trainer::model_is_of_best_step() const {
  if (!std::filesystem::exists(directory_.model())) return false;
  try {
    return load_model(directory_.model()).step == best_step_;
  } catch (const Error&) {  // none that could be used
    return false;
  }
}

void Trainer::embed_gallery(const GalleryPlan& plan, Embedded& so_far) {
  const TrainConfig& config = request_.config;
  Progress bar("gallery");
  EmbedOptions options = plan.options();
  options.progress = [&](Index done, Index total) {
    bar.update(static_cast<double>(done) / static_cast<double>(total),
               fmt::format("{} of {} faces", done, total));
  };
  const auto save = [&] {
    try {
      save_gallery(plan, so_far);
    } catch (const Error& error) {
      note("note: the unfinished gallery could not be saved ({})\n", error.what());
    }
  };
  auto saved = Clock::now();
  Index batches = 0;
  options.pause = [&](const Embedded&) {
    const bool stop = stopped();
    ++batches;
    if (stop || seconds_since(saved) >= config.checkpoint_seconds ||
        (config.checkpoint_steps > 0 && batches % config.checkpoint_steps == 0)) {
      save();
      saved = Clock::now();
    }
    return stop;
  };
  try {
    embed_more(engine_, network_, *store_, faces_of(plan, split_), options, so_far);
  } catch (const Error&) {  // a picture that can no longer be read
    if (so_far.done > 0) save();
    end_saved(std::current_exception());
  }
}

TrainEnd Trainer::finish() {
  const TrainConfig& config = request_.config;
  const Index training = count(split_.training), held_out = count(split_.held_out);
  const GalleryPlan first = first_gallery(config, training, held_out),
                    full = full_gallery(config, training, held_out, step_),
                    most = unlimited_gallery(config, training, held_out);
  const bool compares = network_.has(Task::embedding);
  best_.put_back(network_.parameters());
  Embedded so_far = load_gallery(full);
  if (first != full && so_far.done == 0 && !model_is_of_best_step()) {
    Embedded few;
    try {
      embed_more(engine_, network_, *store_, faces_of(first, split_), first.options(), few);
    } catch (const Error&) {
      end_saved(std::current_exception());
    }
    write_model(first, few);
    note("a first model, {}, is in {}; the finished one will take its place\n",
         compares ? fmt::format("of {} references", first.references)
                  : fmt::format("calibrated on {} faces", first.held_out),
         directory_.model().string());
  }
  if (full != most)
    note(
        "{} of {} faces, looks at each: {} (more would take over {} of training's work: "
        "readout.gallery_share)\n",
        compares ? fmt::format("gallery: {}", full.references)
                 : fmt::format("calibration: {}", full.held_out),
        compares ? training : held_out, count_looks(full.options()), config.gallery_share);
  embed_gallery(full, so_far);
  if (so_far.done < full.references + full.held_out) return TrainEnd::stopped_in_gallery;
  write_model(full, so_far);
  std::error_code ignored;
  std::filesystem::remove(directory_.gallery(), ignored);
  note("best held-out MAE {:.2f} years at step {} of {}; model in {}\n", best_mae_, best_step_,
       step_, directory_.model().string());
  return TrainEnd::finished;
}

}  // namespace twinage
