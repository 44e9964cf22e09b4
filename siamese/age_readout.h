// From embeddings to an age: compare a face with faces of known age (Jeong et al. 2018, section
// 2.5; the paper's rule is not public, all of this is ours).
//
//   comparison   every reference votes with P(same class | D), calibrated on held-out pairs; the
//                age whose window +-tau collects most of the votes wins (a kernel-weighted mean of
//                the references within that window refines it)
//   knn          weighted median of the ages of the k nearest references, weights 1 / (D + d0)
//   prototype    the age whose mean embedding is nearest (means smoothed over neighbouring ages)
//
// Each also gives an interval that holds the true age with about 80 % probability: quantiles of
// the votes or neighbours, widened or narrowed by a factor calibrated on held-out faces.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/context.h"
#include "core/safetensors.h"
#include "core/tensor.h"

namespace twinage {

enum class ReadoutKind { comparison, knn, prototype };
std::string to_string(ReadoutKind kind);
ReadoutKind parse_readout(std::string_view name);  // throws UsageError

// Faces of known age.
struct Gallery {
  Tensor embeddings;                // matrix(count, width)
  std::vector<float> ages;          // years [count]
  std::vector<std::string> names;   // file names, for "nearest references" [count]
};

// P(same class | D) as a non-increasing step function of D: isotonic regression (pool adjacent
// violators) over held-out pairs.
struct Calibration {
  std::vector<float> distances;      // increasing upper ends of the steps
  std::vector<float> probabilities;  // of the same length, non-increasing
  float tau = 3;                     // years: what "same class" means
  float interval_scale = 1;          // factor on the raw interval's half-widths, per read-out below
  std::vector<float> interval_scales;  // one for each ReadoutKind, in its order

  float probability(float distance) const;
};

// Fits the step function. distances and gaps (years) of held-out pairs; throws Error when empty.
Calibration calibrate(std::span<const float> distances, std::span<const float> gaps, float tau);

struct AgeEstimate {
  float age = 0;             // years
  float low = 0, high = 0;   // about 80 % of true ages lie within
  struct Neighbour {
    Index reference = 0;     // index into the gallery
    float distance = 0;
  };
  std::vector<Neighbour> nearest;  // up to 5, nearest first
};

struct ReadoutOptions {
  ReadoutKind kind = ReadoutKind::knn;
  Index k = 30;
};

class AgeReadout {
 public:
  // Keeps references to both; they must outlive it. Throws Error on an empty gallery.
  AgeReadout(const Gallery& gallery, const Calibration& calibration, ReadoutOptions options);
  // One estimate for each row of z, matrix(count, width).
  std::vector<AgeEstimate> estimate(const Context& ctx, ConstView z) const;

 private:
  AgeEstimate from_distances(std::span<const float> distances) const;

  const Gallery& gallery_;
  const Calibration& calibration_;
  ReadoutOptions options_;
  Tensor prototypes_;                // matrix(ages, width), for ReadoutKind::prototype
  std::vector<float> prototype_ages_;
};

// Fills calibration.interval_scales: for each read-out the factor that makes its interval hold 80 %
// of the held-out faces' true ages.
void calibrate_intervals(const Context& ctx, const Gallery& gallery, Calibration& calibration,
                         Index k, ConstView held_out, std::span<const float> true_ages);

// In and out of a model file; names start with "gallery." and "calibration.".
void save(SafetensorsWriter& writer, const Gallery& gallery, const Calibration& calibration);
void load(const SafetensorsFile& file, Gallery& gallery, Calibration& calibration);

}  // namespace twinage
