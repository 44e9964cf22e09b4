// What the triplets of each anchor say of its pairs, in whole numbers; then every pair gathers from
// both its ends.
#include <algorithm>
#include <cmath>

#include "core/parallel.h"
#include "kernels/triplet/triplet.h"

namespace twinage::cpu {
namespace {

// The other faces' distances in the order of the batch, positives first. The anchor's own place
// stays free.
struct Row {
  const float* d;
  Index positives, others;
};

bool same_class(const float* age, Index a, Index b, float tau) {
  return std::fabs(age[a] - age[b]) <= tau;
}

Row sort_by_class(float* row, Index anchor, const float* d, const float* age, Index batch,
                  float tau) {
  Index positives = 0, others = 0;
  for (const bool wanted : {true, false}) {
    for (Index i = 0; i < batch; ++i)
      if (i != anchor && same_class(age, anchor, i, tau) == wanted)
        row[others++] = d[pair_index(batch, anchor, i)];
    if (wanted) positives = others;
  }
  return {row, positives, others};
}

// The first of the farthest (sign 1) or the nearest (-1) in [first, end) of d; NaN before all.
Index hardest(const float* d, Index first, Index end, float sign) {
  Index best = first;
  for (Index i = first; i < end; ++i)
    if (sign * d[i] > sign * d[best] || (std::isnan(d[i]) && !std::isnan(d[best]))) best = i;
  return best;
}

// What an anchor's triplets add up to.
struct Sum {
  double loss = 0;
  Index triplets = 0, active = 0;
};

// 1. the triplets of one positive with the negatives [first, end)
Sum of_positive(float* slope, const Row& row, Index positive, Index first, Index end,
                float margin) {
  const float reach = margin + row.d[positive];
  Sum sum = {.triplets = end - first};
  for (Index n = first; n < end; ++n) {
    const bool active = !(reach <= row.d[n]);
    sum.loss += active ? static_cast<double>(margin) + row.d[positive] - row.d[n] : 0.0;
    sum.active += active ? 1 : 0;
    slope[n] -= active ? 1.0F : 0.0F;
  }
  slope[positive] += static_cast<float>(sum.active);
  return sum;
}

using OfAnchor = Sum(float* slope, const Row& row, float margin);

Sum hard(float* slope, const Row& row, float margin) {
  const Index farthest = hardest(row.d, 0, row.positives, 1);
  const Index nearest = hardest(row.d, row.positives, row.others, -1);
  return of_positive(slope, row, farthest, nearest, nearest + 1, margin);
}

Sum all(float* slope, const Row& row, float margin) {
  Sum sum;
  for (Index p = 0; p < row.positives; ++p) {
    const Sum more = of_positive(slope, row, p, row.positives, row.others, margin);
    sum = {sum.loss + more.loss, sum.triplets + more.triplets, sum.active + more.active};
  }
  return sum;
}

struct Kind {
  OfAnchor* sum_of;
  MeanOver over;
};

Kind kind_of(TripletKind kind) {
  switch (kind) {
    case TripletKind::hard:
      return {hard, MeanOver::terms};
    case TripletKind::all:
      return {all, MeanOver::active};
  }
  fail_unknown_triplet(kind);
}

}  // namespace

void triplet_loss(const Context& ctx, float* loss, float* dd, float* active, const float* d,
                  const float* age, Index batch, float weight, const Triplet& options) {
  const Kind kind = kind_of(options.kind);
  WorkspaceScope scope(ctx.workspace);
  const Anchors anchors = anchors_in(scope, batch);
  const Index width = workspace_floats(2 * batch);  // of a thread's scratch memory
  float* scratch = scope.floats(std::max(1, ctx.threads) * width);

  parallel_for(ctx.threads, batch, [&](Index a, int thread) {
    float *row_d = scratch + thread * width, *slope = row_d + batch;
    const Row row = sort_by_class(row_d, a, d, age, batch, options.tau);
    std::fill_n(slope, batch, 0.0F);
    const bool any = row.positives > 0 && row.positives < row.others;
    const Sum sum = any ? kind.sum_of(slope, row, options.margin) : Sum{};
    loss[a] = static_cast<float>(sum.loss);
    anchors.terms[a] = static_cast<float>(sum.triplets);
    anchors.active[a] = static_cast<float>(sum.active);
    // Back to the order of the batch.
    Index positive = 0, negative = row.positives;
    for (Index i = 0; i < batch; ++i)
      anchors.slope[a * batch + i] =
          i == a ? 0.0F : slope[same_class(age, a, i, options.tau) ? positive++ : negative++];
  });

  gather_pairs(ctx, loss, dd, active, anchors, batch, weight, kind.over);
}

Index triplet_workspace(const Context& ctx, Index batch) {
  return anchors_workspace(batch) +
         workspace_floats(std::max(1, ctx.threads) * workspace_floats(2 * batch));
}

}  // namespace twinage::cpu
