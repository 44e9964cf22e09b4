#include "siamese/readouts/calibrate_intervals.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"

namespace twinage {
namespace {

// Split conformal prediction (Vovk et al. 2005): of n values of held-out faces the ceil(share (n +
// 1))-th smallest is not exceeded by at least this share of new faces, on average over such
// samples. Of too few values the largest; what may be said of it then: siamese/calibration.h.
float conformal_quantile(std::vector<float> values, double share) {
  const Index rank = conformal_rank(share, static_cast<Index>(values.size()));
  std::ranges::nth_element(values, values.begin() + (rank - 1));
  return values[static_cast<std::size_t>(rank - 1)];
}

// The factor with which the interval would just hold the true age.
float needed_scale(const AgeEstimate& estimate, float true_age) {
  const auto age = static_cast<double>(estimate.age);
  const double error = static_cast<double>(true_age) - age;
  const double half = error > 0 ? static_cast<double>(estimate.high) - age
                                : age - static_cast<double>(estimate.low);
  return error == 0 ? 0 : static_cast<float>(std::fabs(error) / half);
}

}  // namespace

void calibrate_intervals(const Context& ctx, const Gallery& gallery, Calibration& calibration,
                         Index k, const FaceOutputs& held_out, std::span<const float> true_ages) {
  const auto count = static_cast<Index>(true_ages.size());
  require(
      count >= 1 && count == held_out.count(),
      "[calibrate_intervals] expected at least one held-out face and its age, got {} and {} ages",
      held_out.count(), count);
  const ReadoutInputs given = inputs_of(held_out, gallery);
  Calibration raw = calibration;
  raw.interval_scales.clear();
  std::map<ReadoutKind, float> scales;
  std::vector<float> nearest;
  for (const ReadoutRow& row : readout_table()) {
    if (!given.contains(row.needs)) continue;
    const auto estimates = AgeReadout(gallery, raw, {row.kind, k}).estimate(ctx, held_out);
    std::vector<float> needed;
    nearest.clear();
    for (std::size_t i = 0; i < estimates.size(); ++i) {
      needed.push_back(needed_scale(estimates[i], true_ages[i]));
      if (given.embedding) nearest.push_back(estimates[i].nearest.front().distance);
    }
    scales[row.kind] = conformal_quantile(needed, kCoverage);
  }
  require(!scales.empty(),
          "[calibrate_intervals] expected embeddings and a gallery, or an age head: got neither");
  calibration.interval_scales = std::move(scales);
  calibration.held_out = count;
  calibration.nearest_limit.reset();
  if (given.embedding && count >= kHeldOutForLimit)
    calibration.nearest_limit = conformal_quantile(nearest, kLimitShare);
}

}  // namespace twinage
