#include "tools/evaluation.h"

#include <algorithm>

namespace twinage {
namespace {

constexpr Index kThresholdPairs = 50'000;

// Their embeddings; none where there are none.
Tensor embeddings_of(const Readings& r, const std::vector<Index>& chosen) {
  if (r.embedded.z.empty()) return {};
  const Index width = r.embedded.z.shape().c;
  Tensor z(matrix(static_cast<Index>(chosen.size()), width));
  for (Index row = 0; row < z.shape().n; ++row)
    std::copy_n(r.embedded.z.view().pixel(chosen[static_cast<std::size_t>(row)]), width,
                z.view().pixel(row));
  return z;
}

// The figures of some of the faces that were read.
Metrics metrics_of(const FaceReader& reader, const Readings& r, const std::vector<Index>& chosen,
                   const std::optional<VerificationOptions>& verification) {
  std::vector<Face> faces;
  std::vector<AgeEstimate> estimates;
  std::vector<float> female;
  const Tensor z = embeddings_of(r, chosen);
  for (const Index index : chosen) {
    const auto i = static_cast<std::size_t>(index);
    faces.push_back(r.dataset.faces[i]);
    estimates.push_back(r.estimates[i]);
    if (reader.model().knows_gender()) female.push_back(r.embedded.female[i]);
  }
  const bool intervals = reader.model().calibration.claim().kind != IntervalClaim::Kind::none;
  const Predictions predictions{estimates, female, verification ? z.view() : ConstView(),
                                intervals};
  return compute_metrics(reader.context(), faces, predictions, reader.model().gallery.ages,
                         verification.value_or(VerificationOptions()), r.dataset.race_names);
}

}  // namespace

std::optional<VerificationOptions> verification_of(const FaceReader& reader) {
  const Model& model = reader.model();
  if (!model.has(Task::embedding)) return std::nullopt;
  VerificationOptions options;
  options.tau = model.calibration.tau;
  const LabelledDistances pairs =
      sample_distances(reader.context(), model.gallery.embeddings.view(), model.gallery.ages,
                       options.tau, kThresholdPairs, options.seed);
  if (pairs.distances.empty()) return std::nullopt;
  options.threshold = best_threshold(pairs);
  return options;
}

Evaluation evaluate(const FaceReader& reader, const Readings& readings) {
  std::vector<Index> all, unseen;
  Evaluation e;
  e.origins = count_origins(readings.origins);
  for (std::size_t i = 0; i < readings.origins.size(); ++i) {
    all.push_back(static_cast<Index>(i));
    if (readings.origins[i] == Origin::unseen) unseen.push_back(static_cast<Index>(i));
    e.unlike +=
        unlike_training(readings.estimates[i], reader.model().calibration).value_or(false) ? 1 : 0;
  }
  const auto verification = verification_of(reader);
  e.all = metrics_of(reader, readings, all, verification);
  if (!unseen.empty() && unseen.size() < all.size())
    e.unseen = metrics_of(reader, readings, unseen, verification);
  return e;
}

}  // namespace twinage
