#include "siamese/losses/distance_loss.h"

#include "kernels/distance/distance.h"
#include "kernels/elementwise/elementwise.h"

namespace twinage {

DistanceLoss::DistanceLoss(PairMode mode, const LossSetup& setup)
    : pairs_(pairs_of_batch(mode, setup.batch)),
      device_pairs_(pairs_.size(), setup.device),
      distances_(vector(static_cast<Index>(pairs_.size())), setup.device),
      ddistances_(distances_.shape(), setup.device) {
  device_pairs_.copy_from(pairs_);
}

void DistanceLoss::compute(const Context& ctx, View dz, ConstView z) {
  distance_pairs_forward(ctx, distances_.data(), z, device_pairs_.span());
  of_distances(ctx, ddistances_.data(), distances_.data());
  fill(ctx, dz, 0);
  distance_pairs_backward(ctx, dz, z, device_pairs_.span(), distances_.data(), ddistances_.data());
}

}  // namespace twinage
