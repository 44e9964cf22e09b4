// What the losses of a whole batch share that read the distance D of every two of its faces
// (kernels/triplet, log_ratio, rank_n_contrast, scale_varying_triplet, lifted). Each goes over the
// faces as anchors. An anchor has terms, of which some may be active (not yet 0), and
//
//   L = sum over anchors of (sum of its terms) / n,   n = all terms of the batch, or all active
//   ones
//
// A first pass lets every anchor write its sum and its slopes by the distances to all others, both
// undivided: a row each, of its own. What they are divided by is known when all are done; then
// every pair gathers from both its ends. So no two threads add to one number, and the bits do not
// depend on their order.
#pragma once
#include "core/context.h"
#include "core/shape.h"

namespace twinage {

// Faces of a batch at most: up to here every count of an anchor's terms is exact in float32.
constexpr Index kMostBatchFaces = 4096;

// Where the distance of faces a != b of a batch stands among those of all its pairs, which are in
// the order (0, 1), (0, 2), ..., (1, 2), ... (PairMode::all).
constexpr Index pair_index(Index batch, Index a, Index b) {
  const Index first = a < b ? a : b, second = a < b ? b : a;
  return first * (2 * batch - first - 1) / 2 + second - first - 1;
}

// What the first pass leaves, in the workspace.
struct Anchors {
  float* slope;   // [batch][batch]: d (sum of an anchor's terms) / d D(anchor, other); itself: 0
  float* terms;   // [batch]: how many an anchor has, a whole number
  float* active;  // [batch]: how many of them are active
};

inline Anchors anchors_in(WorkspaceScope& scope, Index batch) {
  float* const slope = scope.floats(batch * batch);
  float* const terms = scope.floats(batch);
  return {slope, terms, scope.floats(batch)};
}
inline Index anchors_workspace(Index batch) {
  return workspace_floats(batch * batch) + 2 * workspace_floats(batch);
}

enum class MeanOver { terms, active };

// The second pass: loss[a] /= n; dd[p] = weight * (slope[a][b] + slope[b][a]) / n of the pair p of
// a and b; active_share[1], unless null, = all active / all terms. Without any, all are 0. A step
// of the losses and no operation: each device has it, and nobody dispatches it.
using GatherPairs = void(const Context& ctx, float* loss, float* dd, float* active_share,
                         const Anchors& anchors, Index batch, float weight, MeanOver over);
namespace cpu {
GatherPairs gather_pairs;
}
namespace cuda {
GatherPairs gather_pairs;
}
namespace simt {
GatherPairs gather_pairs;
}

// Throws Error for no face, or more than kMostBatchFaces.
void require_batch(const char* operation, Index batch);

}  // namespace twinage
