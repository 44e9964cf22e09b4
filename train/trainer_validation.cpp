// What the trainer learns about its own work: validation on held-out faces, and the calibration of
// the finished model.
#include <algorithm>
#include <cmath>
#include <limits>

#include "core/error.h"
#include "core/output.h"
#include "kernels/distance/distance.h"
#include "siamese/readouts/calibrate_intervals.h"
#include "train/model/model_file.h"
#include "train/trainer.h"

namespace twinage {
namespace {

constexpr Index kValidationGallery = 3000;  // faces: enough for a figure to steer by
const EmbedOptions kQuickLook{.mirror = false, .zooms = false, .progress = {}, .pause = {}};

struct Stopped {};  // thrown: in the middle of a validation

std::vector<float> ages_of(const FaceDataset& dataset, std::span<const Index> faces) {
  std::vector<float> ages;
  for (Index i : faces) ages.push_back(dataset.faces[static_cast<std::size_t>(i)].age);
  return ages;
}

std::vector<std::uint64_t> contents_of(const FaceDataset& dataset, std::span<const Index> faces) {
  std::vector<std::uint64_t> contents;
  for (Index i : faces) contents.push_back(dataset.faces[static_cast<std::size_t>(i)].content);
  return contents;
}

std::string percent(double share) {
  return std::isnan(share) ? "unknown" : fmt::format("{:.1f} %", 100 * share);
}

nlohmann::ordered_json as_json(const Validation& v) {
  nlohmann::ordered_json json = {{"mae", v.mae}};
  if (!std::isnan(v.gender_accuracy)) json["gender_accuracy"] = v.gender_accuracy;
  return json;
}

// What reads ages while the network is being trained.
const ReadoutRow& readout_in_training(const TrainConfig& config) {
  return readout_row(readout_row(config.readout.kind).in_training);
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

Gallery Trainer::make_gallery(std::span<const Index> faces, Tensor embeddings) const {
  Gallery gallery;
  gallery.embeddings = std::move(embeddings);
  gallery.ages = ages_of(faces_, faces);
  for (Index i : faces)
    gallery.names.push_back(
        std::filesystem::path(faces_.faces[static_cast<std::size_t>(i)].path).filename().string());
  gallery.contents = contents_of(faces_, faces);
  gallery.training_contents = contents_of(faces_, split_.training);
  gallery.held_out_contents = contents_of(faces_, split_.held_out);
  return gallery;
}

Embedded Trainer::embed_or_stop(const FaceStore& store, std::span<const Index> faces) {
  EmbedOptions options = kQuickLook;
  options.pause = [this](const Embedded&) { return stopped(); };
  Embedded embedded = embed_faces(engine_, network_, store, faces, options);
  if (embedded.done < static_cast<Index>(faces.size())) throw Stopped();
  return embedded;
}

Validation Trainer::validation_of(const FaceDataset& dataset, const FaceStore& store,
                                  std::span<const Index> faces, const Gallery& gallery) {
  const Embedded embedded = embed_or_stop(store, faces);
  const Calibration none;  // it only exists once training has ended
  ReadoutOptions options = request_.config.readout;
  options.kind = readout_in_training(request_.config).kind;
  const AgeReadout readout(gallery, none, options);
  const auto estimates = readout.estimate(engine_.host_context(),
                                          {.z = embedded.z.view(), .ages = embedded.ages.view()});
  Validation v;
  Index labelled = 0, right = 0;
  for (std::size_t i = 0; i < faces.size(); ++i) {
    const Face& face = dataset.faces[static_cast<std::size_t>(faces[i])];
    v.mae += std::fabs(estimates[i].age - face.age);
    if (face.gender < 0 || !network_.has(Task::gender)) continue;
    ++labelled;
    right += says_female(embedded.female[i]) == (face.gender == 1);
  }
  v.mae /= static_cast<double>(faces.size());
  v.gender_accuracy = labelled > 0 ? static_cast<double>(right) / static_cast<double>(labelled)
                                   : std::numeric_limits<double>::quiet_NaN();
  return v;
}

bool Trainer::validate(Progress& bar) {
  validation_pending_ = true;
  try {
    validate_now(bar);
  } catch (const Stopped&) {
    return false;
  } catch (...) {  // a picture that can no longer be read
    end_saved(std::current_exception());
  }
  return true;
}

Index Trainer::faces_of_validation() const {
  Index references = 0;
  if (readout_in_training(request_.config).needs.embedding)
    references = std::min(kValidationGallery, static_cast<Index>(split_.training.size()));
  return references + static_cast<Index>(split_.held_out.size() + val_.size());
}

void Trainer::validate_now(Progress& bar) {
  const double started = elapsed_seconds();
  Gallery gallery;  // of a read-out that does not compare: empty
  if (readout_in_training(request_.config).needs.embedding) {
    const std::vector<Index> references = spread(split_.training, kValidationGallery);
    gallery = make_gallery(references, embed_or_stop(*store_, references).z);
  }
  const Validation held_out = validation_of(faces_, *store_, split_.held_out, gallery);
  nlohmann::ordered_json record = {{"event", "validation"}, {"step", step_}};
  record["seconds"] = elapsed_seconds();
  record["held_out"] = as_json(held_out);
  std::string text = fmt::format("step {:6}  held-out: MAE {:.2f} years, gender {}", step_,
                                 held_out.mae, percent(held_out.gender_accuracy));
  if (val_store_ != nullptr) {
    const Validation val = validation_of(val_faces_, *val_store_, val_, gallery);
    record["val"] = as_json(val);
    text += fmt::format("  val: MAE {:.2f}, gender {}", val.mae, percent(val.gender_accuracy));
  }
  log_->write(record);
  bar.line(text);
  keep_if_best(held_out);
  last_validation_ = step_;
  validation_pending_ = false;
  validated_at_ = elapsed_seconds();
  validation_seconds_ = validated_at_ - started;
  if (request_.config.minutes > 0)
    reserve_time(validation_seconds_ / static_cast<double>(faces_of_validation()));
  recorded_at_ += validation_seconds_;  // the rate of training is that of training alone
}

void Trainer::keep_if_best(const Validation& validation) {
  if (best_step_ > 0 && !(validation.mae < best_mae_)) return;
  best_mae_ = validation.mae;
  best_step_ = step_;
  best_.take(network_.parameters());
}

void Trainer::write_model(const GalleryPlan& plan, const Embedded& embedded) {
  TrainConfig config = request_.config;  // a face is looked at as the references were
  config.mirror = plan.mirror;
  config.zooms = plan.zooms;
  const bool compares = network_.has(Task::embedding);
  const std::vector<Index> held_out = spread(split_.held_out, plan.held_out);
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
  const Gallery gallery =
      make_gallery(spread(split_.training, compares ? plan.references : config.gallery_max),
                   std::move(embeddings));
  const std::vector<float> ages = ages_of(faces_, held_out);
  const Context& host = engine_.host_context();
  Calibration calibration;
  calibration.tau = config.objective.loss.tau;
  if (compares) calibration = calibration_of(host, gallery, said.z, ages, calibration.tau);
  calibrate_intervals(host, gallery, calibration, config.readout.k, said, ages);
  const Index labels =
      network_.has(Task::gender) ? gender_labels(faces_.faces, split_.training) : 0;
  save_model(directory_.model(), config, best_step_, labels, network_, gallery, calibration);
}

}  // namespace twinage
