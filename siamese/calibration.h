// How much a distance says about "same class", fitted on faces that training did not see.
#pragma once
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "core/shape.h"
#include "siamese/readouts/readout_kind.h"

namespace twinage {

constexpr double kCoverage = 0.8;     // the share of true ages that an interval is to hold
constexpr double kLimitShare = 0.99;  // of faces that are no farther away than nearest_limit

// From this number of held-out faces on an interval is called one of 80 %: the share of new faces
// that it really holds lies within 70 and 90 % with a probability of at least 0.9 [ours]. (As for
// what lies behind this see IntervalClaim.)
constexpr Index kHeldOutForCoverage = 40;

// From this number on a distance is called one that 95 % of faces do not exceed, and more from more
// faces on: the largest of n held-out distances holds n / (n + 1) of new ones [ours].
constexpr Index kHeldOutForLimit = 19;

// What may be said of an interval that was calibrated on n held-out faces. Split conformal
// prediction takes the factor of rank k = ceil(0.8 (n + 1)), which exists from n = 4 on. Over all
// draws of n faces it holds k / (n + 1) of new faces, but the share that the one at hand holds
// follows the distribution Beta(k, n + 1 - k) (Vovk 2012, "Conditional validity of inductive
// conformal predictors"): from few faces it may be nearly anything.
struct IntervalClaim {
  enum class Kind {
    none,      // fewer than 4 faces: no interval can be given
    rough,     // fewer than kHeldOutForCoverage: only with the range it may really hold
    coverage,  // about 80 %
    unknown,   // an older model, which does not say how many there were
  };
  Kind kind = Kind::unknown;
  Index held_out = 0;
  double low = 0, high = 0;  // rough: it holds a share within these with a probability of 0.9
  // The factor was found for each age, on the kHeldOutForCoverage faces next to it. So the same
  // holds of the faces of one age, and not only of all together, as far as those are like it: of an
  // age of which few were held out it is the mean over a wide range of ages [ours].
  bool by_age = false;
};
IntervalClaim interval_claim(Index held_out);  // 0: unknown

// P(same class | D) as a non-increasing step function of D: isotonic regression (pool adjacent
// violators) over held-out pairs.
struct Calibration {
  std::vector<float> distances;      // upper ends of the steps, increasing
  std::vector<float> probabilities;  // of the same length, non-increasing
  float tau = 3;                     // years: what "same class" means
  // Factor on the raw interval's half-widths, of each read-out that the network has the outputs
  // for; empty: not calibrated yet.
  std::map<ReadoutKind, float> interval_scales;
  Index held_out = 0;  // faces that the factors were found on; 0: unknown (an older model)
  // How far from its nearest reference a face like those of training is at most: a share of
  // limit_share() is no farther. Absent where fewer than kHeldOutForLimit were held out, or
  // unknown.
  std::optional<float> nearest_limit = std::nullopt;
  // By how much more than by that factor the interval has to be widened to hold faces of the ages
  // 0, 5, ... 100: siamese/interval_width.h. Of the same read-outs, or empty: older models and
  // those of few held-out faces have the one factor.
  std::map<ReadoutKind, std::vector<float>> interval_widths = {};

  // Of the step that D falls into; beyond the last step, the last step's.
  float probability(float distance) const;
  IntervalClaim claim() const;
  double limit_share() const;  // 0.99, or what the number of held-out faces supports
};

// The rank, from 1, of the held-out value that a share of new values does not exceed, as far as n
// values can say: ceil(share (n + 1)), at most n.
Index conformal_rank(double share, Index n);

// Fits the step function: of all non-increasing functions of D the one with the least squared error
// to the indicators gap <= tau. distances and gaps (years) of held-out pairs; throws Error when
// there is none or when one is not finite.
Calibration calibrate(std::span<const float> distances, std::span<const float> gaps, float tau);

}  // namespace twinage
