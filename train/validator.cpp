#include "train/validator.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/elementwise/elementwise.h"
#include "siamese/readouts/age_readout.h"
#include "train/gallery_plan.h"
#include "train/run_gallery.h"

namespace twinage {
namespace {

constexpr Index kValidationGallery = 3000;  // faces: enough for a figure to steer by
const EmbedOptions kQuickLook{.mirror = false, .zooms = false, .progress = {}, .pause = {}};

struct Stopped {};  // thrown: in the middle of a validation

// What reads ages while the network is being trained.
const ReadoutRow& readout_in_training(const TrainConfig& config) {
  return readout_row(readout_row(config.readout.kind).in_training);
}

std::string percent(double share) {
  return std::isnan(share) ? "unknown" : fmt::format("{:.1f} %", 100 * share);
}

nlohmann::ordered_json as_json(const Validation& v) {
  nlohmann::ordered_json json = {{"mae", v.mae}};
  if (!std::isnan(v.gender_accuracy)) json["gender_accuracy"] = v.gender_accuracy;
  return json;
}

}  // namespace

Embedded Validator::embed(const FaceStore& store, std::span<const Index> faces) {
  EmbedOptions options = kQuickLook;
  options.pause = [this](const Embedded&) { return run_.stopped(); };
  Embedded embedded;
  try {
    embedded = embed_faces(run_.engine, run_.network, store, faces, options);
  } catch (...) {
    throw FacesLost{std::current_exception()};
  }
  if (embedded.done < static_cast<Index>(faces.size())) throw Stopped();
  const Context ctx = run_.engine.host_context();
  for (const Tensor* answers : {&embedded.z, &embedded.ages})  // of a head that is not there: empty
    require(answers->view().shape.n == 0 || all_finite(ctx, answers->view()),
            "[train] the network's answers are no longer finite numbers: the training diverged; "
            "train anew with a smaller optimizer.factor");
  return embedded;
}

Validation Validator::of(const FaceDataset& dataset, const FaceStore& store,
                         std::span<const Index> faces, const Gallery& gallery) {
  const Embedded embedded = embed(store, faces);
  const Calibration none;  // it only exists once training has ended
  ReadoutOptions options = run_.config.readout;
  options.kind = readout_in_training(run_.config).kind;
  const AgeReadout readout(gallery, none, options);
  const auto estimates = readout.estimate(run_.engine.host_context(),
                                          {.z = embedded.z.view(), .ages = embedded.ages.view()});
  Validation v;
  Index labelled = 0, right = 0;
  for (std::size_t i = 0; i < faces.size(); ++i) {
    const Face& face = dataset.faces[static_cast<std::size_t>(faces[i])];
    v.mae += std::fabs(estimates[i].age - face.age);
    if (face.gender < 0 || !run_.network.has(Task::gender)) continue;
    ++labelled;
    right += says_female(embedded.female[i]) == (face.gender == 1);
  }
  v.mae /= static_cast<double>(faces.size());
  v.gender_accuracy = labelled > 0 ? static_cast<double>(right) / static_cast<double>(labelled)
                                   : std::numeric_limits<double>::quiet_NaN();
  return v;
}

Index Validator::faces() const {
  Index references = 0;
  if (readout_in_training(run_.config).needs.embedding)
    references = std::min(kValidationGallery, run_.faces.training());
  return references + run_.faces.held_out() + static_cast<Index>(run_.faces.val.size());
}

std::optional<Validations> Validator::validate() {
  const RunFaces& faces = run_.faces;
  try {
    Gallery gallery;  // of a read-out that does not compare: empty
    if (readout_in_training(run_.config).needs.embedding) {
      const std::vector<Index> references = spread(faces.split.training, kValidationGallery);
      gallery = gallery_of(faces, references, embed(*faces.store, references).z);
    }
    Validations result{of(faces.faces, *faces.store, faces.split.held_out, gallery), {}};
    if (faces.val_store != nullptr)
      result.val = of(faces.val_faces, *faces.val_store, faces.val, gallery);
    return result;
  } catch (const Stopped&) {
    return std::nullopt;
  }
}

std::string to_text(const Validations& validations, std::uint64_t step) {
  const auto& [held_out, val] = validations;
  std::string text = fmt::format("step {:6}  held-out: MAE {:.2f} years, gender {}", step,
                                 held_out.mae, percent(held_out.gender_accuracy));
  if (val)
    text += fmt::format("  val: MAE {:.2f}, gender {}", val->mae, percent(val->gender_accuracy));
  return text;
}

nlohmann::ordered_json to_record(const Validations& validations, std::uint64_t step,
                                 double seconds) {
  nlohmann::ordered_json record = {{"event", "validation"}, {"step", step}, {"seconds", seconds}};
  record["held_out"] = as_json(validations.held_out);
  if (validations.val) record["val"] = as_json(*validations.val);
  return record;
}

}  // namespace twinage
