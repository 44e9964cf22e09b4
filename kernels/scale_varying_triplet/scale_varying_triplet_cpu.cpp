// With the others sorted by their gap to the anchor, the triplets of a p are the faces behind it
// and its equals: loops without a condition that depends on the faces.
#include <algorithm>
#include <cmath>

#include "core/parallel.h"
#include "kernels/batch_loss/by_gap.h"
#include "kernels/scale_varying_triplet/scale_varying_triplet.h"

namespace twinage::cpu {
namespace {

// A thread's, in the workspace; each [batch], in the order of the gaps.
struct Scratch {
  ByGap* others;
  float *square, *slope, *e;  // D^2, by D^2, exp(-|x|) of one p with each n

  static Index floats(Index batch) {
    return workspace_floats(2 * batch) + 3 * workspace_floats(batch);
  }
  Scratch(float* memory, Index batch) {
    others = reinterpret_cast<ByGap*>(memory);
    memory += workspace_floats(2 * batch);
    square = memory;
    slope = memory + workspace_floats(batch);
    e = memory + 2 * workspace_floats(batch);
  }
};

struct Sum {
  double loss = 0;
  Index triplets = 0, misordered = 0;
};

// The triplets of one p with the negatives [first, end), of which there are some hundred at most: a
// product of that many 1 + e, each at most 2, is a double.
void add(Sum& sum, const Scratch& at, std::size_t p, std::size_t first, std::size_t end, float w) {
  const float square = at.square[p];
  for (std::size_t n = first; n < end; ++n) at.e[n] = std::exp(-std::fabs(square - at.square[n]));
  double product = 1;  // of 1 + e: one logarithm for all
  double above = 0;    // sum of max(0, x)
  float pull = 0;
  Index misordered = 0;
  for (std::size_t n = first; n < end; ++n) {
    const float x = square - at.square[n], e = at.e[n], inverse = 1 / (1 + e);
    const float slope = x > 0 ? inverse : e * inverse;
    product *= 1 + static_cast<double>(e);
    above += x > 0 ? x : 0.0F;
    misordered += x < 0 ? 0 : 1;
    pull += slope;
    at.slope[n] -= w * slope;
  }
  at.slope[p] += w * pull;
  sum.loss += w * (above + std::log(product));
  sum.triplets += static_cast<Index>(end - first);
  sum.misordered += misordered;
}

Sum of_anchor(const Scratch& at, std::span<const ByGap> others,
              const ScaleVaryingTriplet& options) {
  constexpr std::size_t kAtOnce = 512;
  Sum sum;
  for (std::size_t first = 0; first < others.size();) {
    const std::size_t behind = end_of_equals(others, first);
    const float w = options.scale(gap_of(others[first]));
    for (std::size_t p = first; p < behind; ++p)
      for (std::size_t n = behind; n < others.size(); n += kAtOnce)
        add(sum, at, p, n, std::min(n + kAtOnce, others.size()), w);
    first = behind;
  }
  return sum;
}

}  // namespace

void scale_varying_triplet_loss(const Context& ctx, float* loss, float* dd, float* misordered,
                                const float* d, const float* age, Index batch, float weight,
                                const ScaleVaryingTriplet& options) {
  WorkspaceScope scope(ctx.workspace);
  const Anchors anchors = anchors_in(scope, batch);
  const Index width = Scratch::floats(batch);
  float* const memory = scope.floats(std::max(1, ctx.threads) * width);
  parallel_for(ctx.threads, batch, [&](Index a, int thread) {
    const Scratch at(memory + thread * width, batch);
    const auto others = others_by_gap(at.others, a, age, batch);
    const auto distance = [&](std::size_t i) {
      return d[pair_index(batch, a, place_of(others[i]))];
    };
    for (std::size_t i = 0; i < others.size(); ++i) at.square[i] = distance(i) * distance(i);
    std::fill_n(at.slope, batch, 0.0F);
    const Sum sum = of_anchor(at, others, options);
    loss[a] = static_cast<float>(sum.loss);
    anchors.terms[a] = static_cast<float>(sum.triplets);
    anchors.active[a] = static_cast<float>(sum.misordered);
    float* const slope = anchors.slope + a * batch;
    slope[a] = 0;
    for (std::size_t i = 0; i < others.size(); ++i)
      slope[place_of(others[i])] = 2 * distance(i) * at.slope[i];
  });
  gather_pairs(ctx, loss, dd, misordered, anchors, batch, weight, MeanOver::terms);
}

Index scale_varying_triplet_workspace(const Context& ctx, Index batch) {
  return anchors_workspace(batch) +
         workspace_floats(std::max(1, ctx.threads) * Scratch::floats(batch));
}

}  // namespace twinage::cpu
