// Embeddings drawn in the plane, so that an eye sees which faces the network finds alike.
#pragma once
#include <utility>
#include <vector>

#include "core/context.h"
#include "core/view.h"

namespace twinage {

// Each within [0, 1] x [0, 1], in the order of z's rows; at least one.
using Plane = std::vector<std::pair<double, double>>;

// The two directions in which z, matrix(count, width), varies most (principal components): true
// to distances as far as two numbers can be. The first of them is x. Every direction points to
// where its largest coefficient is positive, so that the same z gives the same picture.
Plane principal_plane(ConstView z);

struct NeighbourMapOptions {
  double perplexity = 30;  // how many neighbours of a face count, softly
  int iterations = 500;
};
// t-SNE (van der Maaten and Hinton 2008, "Visualizing data using t-SNE"): neighbours stay
// neighbours, distances between groups mean nothing. Minimises KL(P || Q) over places y, where
//
//   p_ij ~ exp(-|z_i - z_j|^2 / (2 s_i^2)), s_i such that its perplexity is the one asked for,
//          symmetric, and 0 beyond the 3 x perplexity nearest
//   q_ij ~ 1 / (1 + |y_i - y_j|^2)
//
// by gradient descent with momentum from principal_plane(). All pairs are computed, so count should
// not be beyond 5,000. The same places for any number of threads.
Plane neighbour_plane(const Context& ctx, ConstView z, const NeighbourMapOptions& options = {});

}  // namespace twinage
