// From embeddings to an age: compare a face with faces of known age (Jeong et al. 2018, section
// 2.5; the paper's rule is not public, all of this is ours).
//
//   comparison   the weighted median of the references' ages, weights P(same class | D)^(2 tau + 1)
//                with P calibrated on held-out pairs. P says that the face is within tau years of
//                the reference. Of the face's true age all 2 tau + 1 years around it say so;
//                taken as independent, and about equal, their product is that power. Without it P
//                falls too slowly: the many faint votes for far ages outweigh the strong ones.
//                All references count, so no age can win by having few of them: where distances
//                say nothing the votes are equal, and the estimate is the gallery's median age.
//   knn          weighted median of the ages of the k nearest references, weights 1 / (D + d0),
//                d0 = a tenth of the k-th distance
//   prototype    the age whose mean embedding is nearest (means smoothed over neighbouring ages)
//
// Each also gives an interval that is to hold the true age with a probability of 80 %: the 10 % and
// 90 % quantiles of the votes or neighbours, at least half a year to either side of the age (labels
// are whole years), widened or narrowed by a factor calibrated on held-out faces. What it may be
// called depends on how many there were: Calibration::claim().
#pragma once
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/context.h"
#include "core/enum_names.h"
#include "siamese/calibration.h"
#include "siamese/gallery.h"
#include "siamese/prototypes.h"

namespace twinage {

enum class ReadoutKind { comparison, knn, prototype };
template <>
struct EnumNames<ReadoutKind> {
  static constexpr std::string_view what = "readout";
  static constexpr EnumName<ReadoutKind> table[] = {
      {ReadoutKind::comparison, "comparison"},
      {ReadoutKind::knn, "knn"},
      {ReadoutKind::prototype, "prototype"},
  };
};

struct AgeEstimate {
  float age = 0;            // years
  float low = 0, high = 0;  // the interval: Calibration::claim() says what it holds; low >= 0
  struct Neighbour {
    Index reference = 0;  // index into the gallery
    float distance = 0;
  };
  std::vector<Neighbour> nearest;  // up to 5, nearest first; of equal ones the first reference
};

struct ReadoutOptions {
  ReadoutKind kind = ReadoutKind::knn;
  Index k = 30;  // all references where there are fewer
};

class AgeReadout {
 public:
  // Keeps references to both; they must outlive it. Throws Error on a gallery that is empty or
  // holds numbers that are not finite, and for `comparison` on a calibration without steps.
  AgeReadout(const Gallery& gallery, const Calibration& calibration, ReadoutOptions options);
  // One estimate for each row of z, matrix(count, width). Throws Error naming the row of z that is
  // not finite.
  // contents: content_hash of each row's picture, or empty. References of the same content are left
  // out of its reading: at distance 0 they would be all of it. Throws Error where none is left.
  std::vector<AgeEstimate> estimate(const Context& ctx, ConstView z,
                                    std::span<const std::uint64_t> contents = {}) const;

 private:
  struct Raw {  // before the interval is scaled
    double age = 0, low = 0, high = 0;
  };
  // own: the references that are left out; their distances are infinite.
  AgeEstimate estimate_one(const float* z, std::span<const float> to_references,
                           std::span<const Index> own) const;
  Raw by_comparison(std::span<const float> to_references, std::span<const Index> own) const;
  Raw by_neighbours(std::span<const AgeEstimate::Neighbour> nearest) const;
  Raw by_prototypes(const float* z, const Prototypes::Means& means) const;

  const Gallery& gallery_;
  const Calibration& calibration_;
  ReadoutOptions options_;
  std::optional<YearBins> bins_;
  std::optional<Prototypes> prototypes_;  // for `prototype`
};

// Fills what held-out faces tell: interval_scales, for each read-out the factor with which its
// interval holds 80 % of their true ages, held_out, and nearest_limit, where there are enough.
// held_out is matrix(count, width), true_ages years [count].
void calibrate_intervals(const Context& ctx, const Gallery& gallery, Calibration& calibration,
                         Index k, ConstView held_out, std::span<const float> true_ages);

}  // namespace twinage
