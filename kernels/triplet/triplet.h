// The triplet loss of a whole batch of faces, given the distance D of every two of them.
//
// A triplet is an anchor a, a positive p (another face of a's age class: |age_a - age_p| <= tau
// years, the paper's relaxed "same class", as in pair_loss.h) and a negative n (any other face).
// Its loss wants the negative to be farther away than the positive, by the margin m at least:
//
//   l(a, p, n) = max(0, m + D(a, p) - D(a, n))        (Schroff et al. 2015, with D for their D^2)
//
// and the batch's is (Hermans et al. 2017, with what they found to be needed of each)
//
//   hard   mean over the anchors that have a triplet of l(a, the farthest p, the nearest n)
//   all    mean over all triplets with l > 0
//
// An anchor without a positive or without a negative takes no part. Without any triplet, or without
// any l > 0 in `all`, the loss is 0, and so is the gradient.
#pragma once
#include <string_view>

#include "core/context.h"
#include "core/enum_names.h"
#include "core/shape.h"
#include "kernels/backends.h"
#include "kernels/batch_loss/batch_loss.h"

namespace twinage {

enum class TripletKind { hard, all };
template <>
struct EnumNames<TripletKind> {
  static constexpr std::string_view what = "triplet";
  static constexpr EnumName<TripletKind> table[] = {
      {TripletKind::hard, "hard"},
      {TripletKind::all, "all"},
  };
};

struct Triplet {
  TripletKind kind = TripletKind::hard;
  float margin = 1.0F;  // m, a distance; ours
  float tau = 3.0F;     // years
};

// Faces of a batch at most: up to here every count of triplets of an anchor is exact in float32.
constexpr Index kMostTripletFaces = 8192;

// loss[batch] = what each anchor adds to the loss, which is their sum
// dd[P]       = weight * d loss / d D[p], P = batch * (batch - 1) / 2
// active[1]   = the share of the triplets (hard: of the farthest and nearest, one an anchor) whose
//               l is positive: near 0 there is nothing left to learn from; 0 without any triplet
// d[P] as distance_pairs_forward makes it of all pairs, age[batch] in years; both, as the outputs,
// memory of the device.
//
// Whether l > 0 is decided in float32, m + D(a, p) > D(a, n), and of equally far faces the first of
// the batch counts: dd and active have the same bits on every backend. A NaN distance counts as
// the farthest positive or the nearest negative, and its l as positive: the loss of its anchors is
// NaN. Throws Error for margin <= 0, tau < 0, no face, or more than kMostTripletFaces.
void triplet_loss(const Context& ctx, float* loss, float* dd, float* active, const float* d,
                  const float* age, Index batch, float weight, const Triplet& options);
Index triplet_workspace(const Context& ctx, Index batch);  // floats

// Throws Error: every backend that meets a kind it has no formula for ends here, before it writes.
[[noreturn]] void fail_unknown_triplet(TripletKind kind);

TWINAGE_BACKENDS(triplet_loss)
TWINAGE_DEVICE_BACKENDS(triplet_workspace)

}  // namespace twinage
