// The scale-varying triplet ranking loss of a whole batch of faces, given the distance D of every
// two of them (Im, Hong, Yoon, Yang 2018, "Scale-Varying Triplet Ranking with Classification Loss
// for Facial Age Estimation", ACCV). A relative triplet is an anchor a, a face p and a face n that
// is farther from a in age than p, by however little: no classes are needed. With g the gap to a,
//
//   l(a, p, n) = w(g_p) * log(1 + exp(D(a, p)^2 - D(a, n)^2)),   w(g) = (1 + e) / (g / G + e)
//   L = mean over all triplets with g_p < g_n of l
//
// The nearer p is in age, the larger the scale of the gradient: from 11 at g = 0 to 1 at g = G.
//
// Public are the abstract and the authors' program, not the paper's text; l, w, e = 0.1 and the
// mean are that program's. There z has length 1 (model.radius = 1), G is the range of the ages that
// occur (61 years of MORPH), and the loss stands beside a classification of weight 0.01. Here z is
// as it comes unless set, and G is loss.gap_max [ours]; the age head can be put beside it
// (model.heads).
//
// Without any triplet, as where all ages are equal, the loss is 0, and so is the gradient.
#pragma once
#include "core/context.h"
#include "core/shape.h"
#include "kernels/backends.h"

namespace twinage {

struct ScaleVaryingTriplet {
  float gap_max = 40.0F;  // G, years; ours
  static constexpr float kEpsilon = 0.1F;

  // w. (For kernels, too: constexpr.)
  constexpr float scale(float gap) const { return (1 + kEpsilon) / (gap / gap_max + kEpsilon); }
};

// loss[batch] = what each anchor adds to the loss, which is their sum
// dd[P]       = weight * d loss / d D[p], P = batch * (batch - 1) / 2
// misordered[1] = the share of the triplets with D(a, p) >= D(a, n); 0 without any
// d[P] as distance_pairs_forward makes it of all pairs, age[batch] in years; both, as the outputs,
// memory of the device. A NaN distance makes the loss of its anchors NaN, where they have a triplet
// with it. Throws Error for gap_max <= 0, no face, or more than kMostBatchFaces.
void scale_varying_triplet_loss(const Context& ctx, float* loss, float* dd, float* misordered,
                                const float* d, const float* age, Index batch, float weight,
                                const ScaleVaryingTriplet& options);
Index scale_varying_triplet_workspace(const Context& ctx, Index batch);  // floats

TWINAGE_BACKENDS(scale_varying_triplet_loss)
TWINAGE_DEVICE_BACKENDS(scale_varying_triplet_workspace)

}  // namespace twinage
