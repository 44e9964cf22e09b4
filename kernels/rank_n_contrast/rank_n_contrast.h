// The Rank-N-Contrast loss of a whole batch of faces, given the distance D of every two of them
// (Zha, Cao, Son, Yang, Katabi 2023, "Rank-N-Contrast: Learning Continuous Representations for
// Regression"). For an anchor a and any other face j, among all faces k that are at
// least as far from a in age, j should be the nearest. With s = -D / temperature,
//
//   l(a, j) = -log( exp(s(a, j)) / sum over k != a with g(a, k) >= g(a, j) of exp(s(a, k)) )
//   L = mean over a and j != a of l
//
// The sum has j itself and all that are as far: where all ages are equal, l wants all distances
// equal. A face that is farther than all others has l = 0. The paper's batch shows every face
// twice, varied differently; ours once [ours]. A batch of one face has no l: 0.
#pragma once
#include "core/context.h"
#include "core/shape.h"
#include "kernels/backends.h"

namespace twinage {

struct RankNContrast {
  float temperature = 2.0F;  // a distance; the authors' code's
};

// loss[batch] = what each anchor adds to the loss, which is their sum
// dd[P]       = weight * d loss / d D[p], P = batch * (batch - 1) / 2
// d[P] as distance_pairs_forward makes it of all pairs, age[batch] in years; both, as the outputs,
// memory of the device. Finite for any finite distances; a NaN one makes the loss of its anchors
// NaN. Throws Error for temperature <= 0, no face, or more than kMostBatchFaces.
void rank_n_contrast_loss(const Context& ctx, float* loss, float* dd, const float* d,
                          const float* age, Index batch, float weight,
                          const RankNContrast& options);
Index rank_n_contrast_workspace(const Context& ctx, Index batch);  // floats

TWINAGE_BACKENDS(rank_n_contrast_loss)
TWINAGE_DEVICE_BACKENDS(rank_n_contrast_workspace)

}  // namespace twinage
