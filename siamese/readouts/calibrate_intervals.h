// What held-out faces tell about the intervals of the read-outs.
#pragma once
#include <span>

#include "core/context.h"
#include "siamese/readouts/age_readout.h"

namespace twinage {

// Fills what held-out faces tell: interval_scales, for each read-out that can read these outputs
// the factor with which its interval holds 80 % of their true ages; interval_widths, where there
// are more than kHeldOutForCoverage of them, so that it holds about 80 % of those of each age;
// held_out; and nearest_limit, where there are embeddings and enough faces. true_ages: years
// [held_out.count()]. Throws Error where no face is given or no read-out can read it.
void calibrate_intervals(const Context& ctx, const Gallery& gallery, Calibration& calibration,
                         Index k, const FaceOutputs& held_out, std::span<const float> true_ages);

}  // namespace twinage
