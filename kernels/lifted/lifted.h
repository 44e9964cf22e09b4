// The lifted structured loss of a whole batch of faces, given the distance D of every two of them
// (Song, Xiang, Jegelka, Savarese 2016, "Deep Metric Learning via Lifted Structured Feature
// Embedding", eq. 4). A positive pair should be nearer than all pairs that either of its faces is
// the negative pair of, softly, by the margin m. Over the set P of positive pairs (g <= tau years,
// the relaxed class of pair_loss.h [ours]; the paper's classes are given), with N the negative
// ones,
//
//   J(i, j) = log( sum over (i, k) in N of exp(m - D(i, k)) + sum over (j, l) in N of exp(m - D(j,
//   l)) )
//             + D(i, j)
//   L = 1 / (2 |P|) * sum over (i, j) in P of max(0, J(i, j))^2
//
// A pair neither of whose faces has a negative has J = -infinity: no loss, but it counts in |P|.
// Without a positive or a negative pair the loss is 0, and so is the gradient.
#pragma once
#include "core/context.h"
#include "core/shape.h"
#include "kernels/backends.h"

namespace twinage {

struct Lifted {
  float margin = 1.0F;  // m, a distance
  float tau = 3.0F;     // years
};

// loss[batch] = what each face adds to the loss, which is their sum: half of each of its pairs
// dd[P]       = weight * d loss / d D[p], P = batch * (batch - 1) / 2
// active[1]   = the share of the positive pairs with J > 0; 0 without any
// d[P] as distance_pairs_forward makes it of all pairs, age[batch] in years; both, as the outputs,
// memory of the device. A NaN distance of a positive pair, or of a negative one whose faces have
// positive ones, makes the loss of those NaN. Throws Error for margin <= 0, tau < 0, no face, or
// more than kMostBatchFaces.
void lifted_loss(const Context& ctx, float* loss, float* dd, float* active, const float* d,
                 const float* age, Index batch, float weight, const Lifted& options);
Index lifted_workspace(const Context& ctx, Index batch);  // floats

TWINAGE_BACKENDS(lifted_loss)
TWINAGE_DEVICE_BACKENDS(lifted_workspace)

}  // namespace twinage
