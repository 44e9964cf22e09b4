// The log-ratio loss of a whole batch of faces, given the distance D of every two of them (Kim,
// Seo, Laptev, Cho, Kwak 2019, "Deep Metric Learning Beyond Binary Supervision"): distances should
// the ratios of the gaps in age. Over all anchors a and every two others i, j (dense triplets),
//
//   l(a, i, j) = ( log(D(a, i) / D(a, j)) - log(g(a, i) / g(a, j)) )^2,    L = mean of l
//
// The paper's distances are squared, those of the labels too. That doubles both logarithms: 4 l,
// the same loss but for its weight. Near 0:
//
//   D  sqrt(D^2 + epsilon^2), epsilon = 0.001: about what the authors' code adds to D^2 at 128
//      numbers a face (1e-4 / 128). The slope at D = 0 is 0.
//   g  max(g, g_min) [ours]. Their code adds 1e-6 to g, whose labels hardly ever coincide; ages do,
//      and log 1e-6 would ask for a ten-millionth of the distance of faces ten years apart. Two
//      ages of whole years that are equal are a third of a year apart in the mean. A triplet with
//      both gaps below g_min has no ratio (0 / 0) and is left out.
//
// Without any triplet, as where all ages are equal, the loss is 0, and so is the gradient.
#pragma once
#include "core/context.h"
#include "core/shape.h"
#include "kernels/backends.h"

namespace twinage {

struct LogRatio {
  float gap_min = 0.5F;  // g_min, years; ours
  static constexpr float kEpsilon = 1e-3F;
};

// loss[batch] = what each anchor adds to the loss, which is their sum
// dd[P]       = weight * d loss / d D[p], P = batch * (batch - 1) / 2
// d[P] as distance_pairs_forward makes it of all pairs, age[batch] in years; both, as the outputs,
// memory of the device. A NaN distance makes the loss of its anchors NaN. Throws Error for
// gap_min <= 0, no face, or more than kMostBatchFaces.
void log_ratio_loss(const Context& ctx, float* loss, float* dd, const float* d, const float* age,
                    Index batch, float weight, const LogRatio& options);
Index log_ratio_workspace(const Context& ctx, Index batch);  // floats

TWINAGE_BACKENDS(log_ratio_loss)
TWINAGE_DEVICE_BACKENDS(log_ratio_workspace)

}  // namespace twinage
