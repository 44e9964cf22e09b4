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
// Each also gives an interval that holds the true age with about 80 % probability: the 10 % and
// 90 % quantiles of the votes or neighbours, at least half a year to either side of the age (labels
// are whole years), widened or narrowed by a factor calibrated on held-out faces.
#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/context.h"
#include "siamese/calibration.h"
#include "siamese/gallery.h"

namespace twinage {

enum class ReadoutKind { comparison, knn, prototype };
std::string to_string(ReadoutKind kind);
ReadoutKind parse_readout(std::string_view name);  // throws UsageError

struct AgeEstimate {
  float age = 0;            // years
  float low = 0, high = 0;  // about 80 % of true ages lie within; low >= 0
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
  std::vector<AgeEstimate> estimate(const Context& ctx, ConstView z) const;

 private:
  struct Raw {  // before the interval is scaled
    double age = 0, low = 0, high = 0;
  };
  void count_years();
  void choose_smoothing();
  void find_prototypes();
  double scatter_along_prototypes() const;
  AgeEstimate from_distances(std::span<const float> to_references,
                             std::span<const float> to_prototypes) const;
  Raw by_comparison(std::span<const float> to_references) const;
  Raw by_neighbours(std::span<const AgeEstimate::Neighbour> nearest) const;
  Raw by_prototypes(std::span<const float> to_prototypes) const;

  const Gallery& gallery_;
  const Calibration& calibration_;
  ReadoutOptions options_;
  // Ages are binned to whole years: bin i is year first_year_ + i.
  Index first_year_ = 0;
  std::vector<Index> bins_;        // of each reference
  std::vector<double> counts_;     // references in each bin
  std::vector<double> smoothing_;  // [bins][bins]: weight of bin j's mean in prototype i
  Tensor prototypes_;              // matrix(years with references, width), for `prototype`
  std::vector<float> prototype_ages_;
  double prototype_scatter_ = 0;  // variance along the line of prototypes
};

// Fills calibration.interval_scales: for each read-out the factor that makes its interval hold 80 %
// of the held-out faces' true ages. held_out is matrix(count, width), true_ages years [count].
void calibrate_intervals(const Context& ctx, const Gallery& gallery, Calibration& calibration,
                         Index k, ConstView held_out, std::span<const float> true_ages);

}  // namespace twinage
