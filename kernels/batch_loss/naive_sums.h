// What the definitions of losses of a whole batch add up, in double, term by term.
#pragma once
#include <vector>

#include "kernels/batch_loss/batch_loss.h"

namespace twinage::naive {

struct Sums {
  std::vector<double> loss, slope;  // [batch] and, d loss / d D, [P]; not yet divided
  double terms = 0, active = 0;     // how many
  Index batch;

  explicit Sums(Index faces)
      : loss(static_cast<std::size_t>(faces)),
        slope(static_cast<std::size_t>(faces * (faces - 1) / 2)),
        batch(faces) {}

  double& loss_of(Index anchor) { return loss[static_cast<std::size_t>(anchor)]; }
  double& slope_of(Index a, Index b) {
    return slope[static_cast<std::size_t>(pair_index(batch, a, b))];
  }

  // loss_out[batch], dd[P] and, unless null, active_share[1].
  void write(float* loss_out, float* dd, float* active_share, float weight, MeanOver over) const {
    const double by = over == MeanOver::terms ? terms : active;
    for (std::size_t a = 0; a < loss.size(); ++a)
      loss_out[a] = by > 0 ? static_cast<float>(loss[a] / by) : 0;
    for (std::size_t p = 0; p < slope.size(); ++p)
      dd[p] = by > 0 ? static_cast<float>(weight * slope[p] / by) : 0;
    if (active_share) *active_share = terms > 0 ? static_cast<float>(active / terms) : 0;
  }
};

}  // namespace twinage::naive
