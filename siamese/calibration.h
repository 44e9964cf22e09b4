// How much a distance says about "same class", fitted on faces that training did not see.
#pragma once
#include <span>
#include <vector>

namespace twinage {

// P(same class | D) as a non-increasing step function of D: isotonic regression (pool adjacent
// violators) over held-out pairs.
struct Calibration {
  std::vector<float> distances;        // upper ends of the steps, increasing
  std::vector<float> probabilities;    // of the same length, non-increasing
  float tau = 3;                       // years: what "same class" means
  std::vector<float> interval_scales;  // factor on the raw interval's half-widths, one for each
                                       // ReadoutKind in its order; empty: not calibrated yet

  // Of the step that D falls into; beyond the last step, the last step's.
  float probability(float distance) const;
};

// Fits the step function: of all non-increasing functions of D the one with the least squared error
// to the indicators gap <= tau. distances and gaps (years) of held-out pairs; throws Error when
// there is none or when one is not finite.
Calibration calibrate(std::span<const float> distances, std::span<const float> gaps, float tau);

}  // namespace twinage
