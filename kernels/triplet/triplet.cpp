#include "kernels/triplet/triplet.h"

#include "kernels/check.h"

namespace twinage {

void fail_unknown_triplet(TripletKind kind) {
  fail("[triplet] unknown kind {}", static_cast<int>(kind));
}

void triplet_loss(const Context& ctx, float* loss, float* dd, float* active, const float* d,
                  const float* age, Index batch, float weight, const Triplet& options) {
  require(batch >= 1 && batch <= kMostTripletFaces,
          "[triplet] expected a batch of 1 to {} faces, got {}", kMostTripletFaces, batch);
  require(options.margin > 0, "[triplet] expected margin > 0, got {}", options.margin);
  require(options.tau >= 0, "[triplet] expected tau >= 0 years, got {}", options.tau);
  TWINAGE_DISPATCH(ctx, triplet_loss, loss, dd, active, d, age, batch, weight, options);
}

Index triplet_workspace(const Context& ctx, Index batch) {
  TWINAGE_DISPATCH(ctx, triplet_workspace, batch);
}

}  // namespace twinage
