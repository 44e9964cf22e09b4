// Euclidean distance between embeddings, and its gradient.
//
//   pairs   d[p]   = || z[a_p] - z[b_p] ||_2       (training: a list of pairs within a batch)
//   matrix  d[i,j] = || a[i] - b[j] ||_2           (read-out: queries against a gallery)
//
// z, a, b are matrices (rows, width), possibly with a pitch. The list of pairs is memory of the
// device. A pair that names a row that is not there, or one row twice, throws Error on cpu; on a
// device its distance is NaN and it takes no part in the gradient.
#pragma once
#include <cstdint>
#include <span>

#include "core/context.h"
#include "core/view.h"
#include "kernels/backends.h"

namespace twinage {

struct IndexPair {
  std::int32_t a = 0, b = 0;  // rows of z, a != b
};

// Formed from the differences, so that near-equal embeddings keep their relative accuracy.
void distance_pairs_forward(const Context& ctx, float* d, ConstView z,
                            std::span<const IndexPair> pairs);

// dz += sum over p of dd[p] * (z[a] - z[b]) / d[p] into row a, its negative into row b, in the
// order of the pairs; where d[p] == 0 the gradient is taken as 0.
void distance_pairs_backward(const Context& ctx, View dz, ConstView z,
                             std::span<const IndexPair> pairs, const float* d, const float* dd);

// d of shape matrix(a rows, b rows).
void distance_matrix(const Context& ctx, View d, ConstView a, ConstView b);

TWINAGE_BACKENDS(distance_pairs_forward)
TWINAGE_BACKENDS(distance_pairs_backward)
TWINAGE_BACKENDS(distance_matrix)

}  // namespace twinage
