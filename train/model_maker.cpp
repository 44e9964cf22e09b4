#include "train/model_maker.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "core/error.h"
#include "core/output.h"
#include "kernels/distance/distance.h"
#include "siamese/readouts/calibrate_intervals.h"
#include "train/faces/split.h"
#include "train/model/model_file.h"
#include "train/model/weights.h"
#include "train/progress.h"
#include "train/run_gallery.h"
#include "train/state_file.h"

namespace twinage {
namespace {

using Clock = std::chrono::steady_clock;

constexpr const char* kGalleryFormat = "twinage-gallery-1";

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

std::vector<Index> faces_of(const GalleryPlan& plan, const Split& split) {
  std::vector<Index> faces = spread(split.training, plan.references);
  const std::vector<Index> held_out = spread(split.held_out, plan.held_out);
  faces.insert(faces.end(), held_out.begin(), held_out.end());
  return faces;
}

bool holds_model_of(const RunDirectory& directory, std::uint64_t step) {
  if (!std::filesystem::exists(directory.model())) return false;
  try {
    return load_model(directory.model()).step == step;
  } catch (const Error&) {  // none that could be used
    return false;
  }
}

// The step function of the distances and age gaps between every held-out face and a spread of the
// references.
Calibration calibration_of(const Context& ctx, const Gallery& gallery, ConstView held_out,
                           std::span<const float> ages, float tau) {
  const Index references = gallery.embeddings.shape().n, queries = held_out.shape.n;
  Tensor distances(matrix(queries, references));
  distance_matrix(ctx, distances.view(), held_out, gallery.embeddings.view());
  std::vector<float> gaps;
  gaps.reserve(static_cast<std::size_t>(queries * references));
  for (Index i = 0; i < queries; ++i)
    for (Index j = 0; j < references; ++j)
      gaps.push_back(
          std::fabs(ages[static_cast<std::size_t>(i)] - gallery.ages[static_cast<std::size_t>(j)]));
  return calibrate(std::span(distances.data(), gaps.size()), gaps, tau);
}

}  // namespace

double ModelMaker::seconds(double of_a_face) const {
  const Index training = run_.faces.training(), held_out = run_.faces.held_out();
  const GalleryPlan first = first_gallery(run_.config, training, held_out),
                    most = unlimited_gallery(run_.config, training, held_out);
  const double at_first = of_a_face * static_cast<double>(first.runs());
  const double all =
      first == most ? at_first : at_first + of_a_face * static_cast<double>(most.runs());
  return std::min(all, std::max(at_first, run_.config.gallery_share * 60 * run_.config.minutes));
}

void ModelMaker::embed(const GalleryPlan& plan, const EmbedOptions& options,
                       Embedded& so_far) const {
  const RunFaces& faces = run_.faces;
  try {
    embed_more(run_.engine, run_.network, *faces.store, faces_of(plan, faces.split), options,
               so_far);
  } catch (const Error&) {  // a picture that can no longer be read
    throw FacesLost{std::current_exception()};
  }
}

void ModelMaker::embed_with_saves(const GalleryPlan& plan, const RunState& state,
                                  Embedded& so_far) const {
  const TrainConfig& config = run_.config;
  Progress bar(plan.references > 0 ? "gallery" : "calibration");
  EmbedOptions options = plan.options();
  options.progress = bar.counter("faces");
  const auto save_so_far = [&] {
    try {
      save(plan, state, so_far);
    } catch (const Error& error) {
      note("note: the unfinished gallery could not be saved ({})\n", error.what());
    }
  };
  auto saved = Clock::now();
  Index batches = 0;
  options.pause = [&](const Embedded&) {
    const bool stop = run_.stopped();
    ++batches;
    if (stop || seconds_since(saved) >= config.checkpoint_seconds ||
        (config.checkpoint_steps > 0 && batches % config.checkpoint_steps == 0)) {
      save_so_far();
      saved = Clock::now();
    }
    return stop;
  };
  try {
    embed(plan, options, so_far);
  } catch (const FacesLost&) {
    if (so_far.done > 0) save_so_far();
    throw;
  }
}

void ModelMaker::make_first(const GalleryPlan& plan, const RunState& state) const {
  Embedded few;
  embed(plan, plan.options(), few);
  write_model(plan, state, few);
  note("a first model, {}, is in {}; the finished one will take its place\n",
       run_.network.has(Task::embedding) ? fmt::format("of {} references", plan.references)
                                         : fmt::format("calibrated on {} faces", plan.held_out),
       run_.directory.model().string());
}

bool ModelMaker::make(const RunState& state) {
  const TrainConfig& config = run_.config;
  const Index training = run_.faces.training(), held_out = run_.faces.held_out();
  const GalleryPlan first = first_gallery(config, training, held_out),
                    full = full_gallery(config, training, held_out, state.step),
                    most = unlimited_gallery(config, training, held_out);
  Embedded so_far = load(full, state);
  if (first != full && so_far.done == 0 && !holds_model_of(run_.directory, state.best_step))
    make_first(first, state);
  const bool compares = run_.network.has(Task::embedding);
  if (full != most)
    note(
        "{} of {} faces, looks at each: {} (more would take over {} of training's work: "
        "readout.gallery_share)\n",
        compares ? fmt::format("gallery: {}", full.references)
                 : fmt::format("calibration: {}", full.held_out),
        compares ? training : held_out, count_looks(full.options()), config.gallery_share);
  embed_with_saves(full, state, so_far);
  if (so_far.done < full.references + full.held_out) return false;
  write_model(full, state, so_far);
  std::error_code ignored;
  if (run_.engine.ranks().is_first()) std::filesystem::remove(run_.directory.gallery(), ignored);
  return true;
}

void ModelMaker::write_model(const GalleryPlan& plan, const RunState& state,
                             const Embedded& embedded) const {
  run_.engine.ranks().on_first([&] { write_calibrated(plan, state, embedded); });
}

void ModelMaker::write_calibrated(const GalleryPlan& plan, const RunState& state,
                                  const Embedded& embedded) const {
  const RunFaces& faces = run_.faces;
  TrainConfig config = run_.config;  // a face is looked at as the references were
  config.mirror = plan.mirror;
  config.zooms = plan.zooms;
  const bool compares = run_.network.has(Task::embedding);
  const std::vector<Index> held_out = spread(faces.split.held_out, plan.held_out);
  const auto of_held_out = [&](const Tensor& x) {
    return x.empty() ? ConstView() : x.view().images(plan.references, plan.held_out);
  };
  const FaceOutputs said{of_held_out(embedded.z), of_held_out(embedded.ages)};
  Tensor embeddings;
  if (compares) {
    embeddings = Tensor(matrix(plan.references, embedded.z.shape().c));
    embeddings.copy_from(embedded.z.data(), embeddings.size());
  }
  // Who was trained on is known by name and content, compared or not.
  const Gallery gallery = gallery_of(
      faces, spread(faces.split.training, compares ? plan.references : config.gallery_max),
      std::move(embeddings));
  const std::vector<float> ages = ages_of(faces.faces, held_out);
  const Context& host = run_.engine.host_context();
  Calibration calibration;
  calibration.tau = config.objective.loss.tau;
  if (compares) calibration = calibration_of(host, gallery, said.z, ages, calibration.tau);
  calibrate_intervals(host, gallery, calibration, config.readout.k, said, ages);
  const Index labels =
      run_.network.has(Task::gender) ? gender_labels(faces.faces.faces, faces.split.training) : 0;
  save_model(run_.directory.model(), config, state.best_step, labels, run_.network, gallery,
             calibration, crop_record_beside(config.data));
}

// What the embeddings of an unfinished gallery depend on.
std::string ModelMaker::key(const GalleryPlan& plan, const RunState& state) const {
  return fmt::format("step {} of {}, error {}, faces {}, {} + {}, looks {} {}, {}", state.best_step,
                     state.step, state.best_mae, fingerprint(run_.faces.faces.faces),
                     plan.references, plan.held_out, plan.mirror, plan.zooms,
                     arithmetic_of(run_.engine.context()));
}

void ModelMaker::save(const GalleryPlan& plan, const RunState& state,
                      const Embedded& so_far) const {
  if (!run_.engine.ranks().is_first()) return;
  SafetensorsWriter writer;
  writer.set_metadata("format", kGalleryFormat);
  writer.set_metadata("key", key(plan, state));
  const std::int64_t done[] = {so_far.done};
  writer.add("done", std::span<const std::int64_t>(done), {1});
  writer.add("female", so_far.female, {static_cast<Index>(so_far.female.size())});
  if (!so_far.z.empty()) save_tensor(writer, "z", so_far.z);
  if (!so_far.ages.empty()) save_tensor(writer, "ages", so_far.ages);
  writer.write(run_.directory.gallery());
}

Embedded ModelMaker::load(const GalleryPlan& plan, const RunState& state) const {
  if (!std::filesystem::exists(run_.directory.gallery())) return {};
  try {
    const auto file = SafetensorsFile::open(run_.directory.gallery());
    const auto there = file.metadata().find("key");
    if (there == file.metadata().end() || there->second != key(plan, state)) return {};
    const Index count = plan.references + plan.held_out;
    Embedded so_far;
    so_far.female = file.floats("female");
    so_far.done = file.integers("done").at(0);
    const auto fill = [&](const char* name, Tensor& tensor, Task task) {
      if (!run_.network.has(task)) return;
      tensor = Tensor(matrix(count, run_.network.said(task)));
      load_tensor(file, name, tensor);
    };
    fill("z", so_far.z, Task::embedding);
    fill("ages", so_far.ages, Task::age);
    return so_far;
  } catch (const std::exception& error) {
    note("note: the gallery begins anew ({})\n", error.what());
    return {};
  }
}

}  // namespace twinage
