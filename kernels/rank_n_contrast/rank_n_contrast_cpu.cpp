// With the others sorted by their gap to the anchor, the sums are one walk from the farthest
// inwards: L_j = log of the sum for j. The slopes are another one, outwards: d (sum of l) / d s_k
// has a part exp(s_k - L_j) of every j that is at most as far as k. O(batch log batch) an anchor.
#include <cmath>

#include "core/parallel.h"
#include "kernels/batch_loss/by_gap.h"
#include "kernels/batch_loss/log_sum.h"
#include "kernels/rank_n_contrast/rank_n_contrast.h"

namespace twinage::cpu {
namespace {

// A thread's, in the workspace; each [batch], in the order of the gaps.
struct Scratch {
  ByGap* others;
  double *s, *log_sum, *slope;

  static Index floats(Index batch) { return 4 * workspace_floats(2 * batch); }
  Scratch(float* memory, Index batch) {
    const Index step = workspace_floats(2 * batch);  // of numbers of two floats
    others = reinterpret_cast<ByGap*>(memory);
    s = reinterpret_cast<double*>(memory + step);
    log_sum = reinterpret_cast<double*>(memory + 2 * step);
    slope = reinterpret_cast<double*>(memory + 3 * step);
  }
};

// The sum of an anchor's l; slope: by s.
double of_anchor(const Scratch& at, std::span<const ByGap> others) {
  double loss = 0;
  LogSum inwards;
  for (std::size_t end = others.size(); end > 0;) {
    std::size_t first = end;
    do inwards.add(at.s[--first]);
    while (first > 0 && others[first - 1] >> 32U == others[first] >> 32U);
    const double log_sum = inwards.value();
    for (std::size_t j = first; j < end; ++j) {
      at.log_sum[j] = log_sum;
      loss += log_sum - at.s[j];
    }
    end = first;
  }
  LogSum outwards;
  for (std::size_t first = 0; first < others.size();) {
    const std::size_t end = end_of_equals(others, first);
    for (std::size_t j = first; j < end; ++j) outwards.add(-at.log_sum[j]);
    const double log_sum = outwards.value();
    for (std::size_t k = first; k < end; ++k) at.slope[k] = std::exp(at.s[k] + log_sum) - 1;
    first = end;
  }
  return loss;
}

}  // namespace

void rank_n_contrast_loss(const Context& ctx, float* loss, float* dd, const float* d,
                          const float* age, Index batch, float weight,
                          const RankNContrast& options) {
  WorkspaceScope scope(ctx.workspace);
  const Anchors anchors = anchors_in(scope, batch);
  const Index width = Scratch::floats(batch);
  float* const memory = scope.floats(std::max(1, ctx.threads) * width);
  const double temperature = options.temperature;
  parallel_for(ctx.threads, batch, [&](Index a, int thread) {
    const Scratch at(memory + thread * width, batch);
    const auto others = others_by_gap(at.others, a, age, batch);
    for (std::size_t i = 0; i < others.size(); ++i)
      at.s[i] = -d[pair_index(batch, a, place_of(others[i]))] / temperature;
    loss[a] = static_cast<float>(of_anchor(at, others));
    float* const slope = anchors.slope + a * batch;
    slope[a] = 0;
    for (std::size_t i = 0; i < others.size(); ++i)
      slope[place_of(others[i])] = static_cast<float>(-at.slope[i] / temperature);
    anchors.terms[a] = anchors.active[a] = static_cast<float>(others.size());
  });
  gather_pairs(ctx, loss, dd, nullptr, anchors, batch, weight, MeanOver::terms);
}

Index rank_n_contrast_workspace(const Context& ctx, Index batch) {
  return anchors_workspace(batch) +
         workspace_floats(std::max(1, ctx.threads) * Scratch::floats(batch));
}

}  // namespace twinage::cpu
