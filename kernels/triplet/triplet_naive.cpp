#include <cmath>
#include <vector>

#include "kernels/batch_loss/naive_sums.h"
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

void add_triplet(Sums& sums, Index anchor, Face p, Face n, float margin) {
  ++sums.terms;
  if (margin + p.d <= n.d) return;
  ++sums.active;
  sums.loss_of(anchor) += static_cast<double>(margin) + p.d - n.d;
  sums.slope_of(anchor, p.at) += 1;
  sums.slope_of(anchor, n.at) -= 1;
}

MeanOver mean_over(TripletKind kind) {
  switch (kind) {
    case TripletKind::hard:
      return MeanOver::terms;
    case TripletKind::all:
      return MeanOver::active;
  }
  fail_unknown_triplet(kind);
}

}  // namespace

void triplet_loss(const Context&, float* loss, float* dd, float* active, const float* d,
                  const float* age, Index batch, float weight, const Triplet& options) {
  const MeanOver over = mean_over(options.kind);
  Sums sums(batch);
  for (Index anchor = 0; anchor < batch; ++anchor) {
    Others others = others_of(anchor, d, age, batch, options.tau);
    if (others.positives.empty() || others.negatives.empty()) continue;
    if (options.kind == TripletKind::hard)
      others = {{farthest(others.positives)}, {nearest(others.negatives)}};
    for (const Face& p : others.positives)
      for (const Face& n : others.negatives) add_triplet(sums, anchor, p, n, options.margin);
  }
  sums.write(loss, dd, active, weight, over);
}

}  // namespace twinage::naive
