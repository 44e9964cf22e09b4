#include <cmath>
#include <vector>

#include "kernels/triplet/triplet.h"

namespace twinage::naive {
namespace {

struct Face {
  Index at;  // in the batch
  float d;   // from the anchor
};

// The other faces, by the anchor's age class.
struct Others {
  std::vector<Face> positives, negatives;
};

Others others_of(Index anchor, const float* d, const float* age, Index batch, float tau) {
  Others others;
  for (Index i = 0; i < batch; ++i) {
    if (i == anchor) continue;
    const bool same = std::fabs(age[anchor] - age[i]) <= tau;
    (same ? others.positives : others.negatives).push_back({i, d[pair_index(batch, anchor, i)]});
  }
  return others;
}

Face farthest(const std::vector<Face>& faces) {
  Face best = faces.front();
  for (const Face& face : faces)
    if (face.d > best.d || (std::isnan(face.d) && !std::isnan(best.d))) best = face;
  return best;
}

Face nearest(const std::vector<Face>& faces) {
  Face best = faces.front();
  for (const Face& face : faces)
    if (face.d < best.d || (std::isnan(face.d) && !std::isnan(best.d))) best = face;
  return best;
}

// Sums over triplets, not yet divided.
struct Sums {
  std::vector<double> loss, slope;           // [batch] and, d loss / d D, [P]
  double triplets = 0, active_triplets = 0;  // how many
};

void add_triplet(Sums& sums, Index batch, Index anchor, Face p, Face n, float margin) {
  ++sums.triplets;
  if (margin + p.d <= n.d) return;
  ++sums.active_triplets;
  sums.loss[static_cast<std::size_t>(anchor)] += static_cast<double>(margin) + p.d - n.d;
  sums.slope[static_cast<std::size_t>(pair_index(batch, anchor, p.at))] += 1;
  sums.slope[static_cast<std::size_t>(pair_index(batch, anchor, n.at))] -= 1;
}

// What the loss is divided by.
double divisor(const Sums& sums, TripletKind kind) {
  switch (kind) {
    case TripletKind::hard:
      return sums.triplets;
    case TripletKind::all:
      return sums.active_triplets;
  }
  fail_unknown_triplet(kind);
}

}  // namespace

void triplet_loss(const Context&, float* loss, float* dd, float* active, const float* d,
                  const float* age, Index batch, float weight, const Triplet& options) {
  Sums sums;
  sums.loss.resize(static_cast<std::size_t>(batch));
  sums.slope.resize(static_cast<std::size_t>(batch * (batch - 1) / 2));
  for (Index anchor = 0; anchor < batch; ++anchor) {
    Others others = others_of(anchor, d, age, batch, options.tau);
    if (others.positives.empty() || others.negatives.empty()) continue;
    if (options.kind == TripletKind::hard)
      others = {{farthest(others.positives)}, {nearest(others.negatives)}};
    for (const Face& p : others.positives)
      for (const Face& n : others.negatives) add_triplet(sums, batch, anchor, p, n, options.margin);
  }
  const double by = divisor(sums, options.kind);
  for (std::size_t a = 0; a < sums.loss.size(); ++a)
    loss[a] = by > 0 ? static_cast<float>(sums.loss[a] / by) : 0;
  for (std::size_t p = 0; p < sums.slope.size(); ++p)
    dd[p] = by > 0 ? static_cast<float>(weight * sums.slope[p] / by) : 0;
  *active = sums.triplets > 0 ? static_cast<float>(sums.active_triplets / sums.triplets) : 0;
}

}  // namespace twinage::naive
