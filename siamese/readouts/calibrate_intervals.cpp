#include "siamese/readouts/calibrate_intervals.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "siamese/interval_width.h"

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

// The factor, as a multiple of that for all, that faces of the ages 0, 5, ... 100 need: of those of
// the kHeldOutForCoverage held-out faces whose ages are nearest to it (and of others as near), what
// holds 80 % [ours]. Where an age has so many of its own, that is what Vovk et al. call
// label-conditional; where it has not, older or younger faces stand in for them.
std::vector<float> widths_by_age(std::span<const float> needed, std::span<const float> true_ages,
                                 float of_all) {
  constexpr float kLeast = 0.1F;  // some ages may be read without any error by chance
  std::vector<float> widths;
  for (Index i = 0; i < kWidthAges; ++i) {
    const auto age = static_cast<float>(kWidthStep * static_cast<double>(i));
    std::vector<float> gaps, near;
    for (const float other : true_ages) gaps.push_back(std::fabs(other - age));
    std::vector<float> sorted = gaps;
    std::ranges::nth_element(sorted, sorted.begin() + (kHeldOutForCoverage - 1));
    for (std::size_t face = 0; face < gaps.size(); ++face)
      if (gaps[face] <= sorted[kHeldOutForCoverage - 1]) near.push_back(needed[face]);
    widths.push_back(std::max(conformal_quantile(near, kCoverage) / of_all, kLeast));
  }
  // Neighbouring ages share their faces, and between them are straight lines: what all of it holds
  // is set once more on all faces.
  std::vector<float> still_needed;
  for (std::size_t face = 0; face < needed.size(); ++face)
    still_needed.push_back(
        needed[face] / static_cast<float>(width_at(widths, static_cast<double>(true_ages[face]))));
  const float rest = conformal_quantile(still_needed, kCoverage) / of_all;
  for (float& width : widths) width *= rest;
  return widths;
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
  raw.interval_widths.clear();
  std::map<ReadoutKind, float> scales;
  std::map<ReadoutKind, std::vector<float>> widths;
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
    const float scale = conformal_quantile(needed, kCoverage);
    scales[row.kind] = scale;
    if (count > kHeldOutForCoverage && scale > 0)
      widths[row.kind] = widths_by_age(needed, true_ages, scale);
  }
  require(!scales.empty(),
          "[calibrate_intervals] expected embeddings and a gallery, or an age head: got neither");
  calibration.interval_scales = std::move(scales);
  calibration.interval_widths = std::move(widths);
  calibration.held_out = count;
  calibration.nearest_limit.reset();
  if (given.embedding && count >= kHeldOutForLimit)
    calibration.nearest_limit = conformal_quantile(nearest, kLimitShare);
}

}  // namespace twinage
