// With N_a = log(sum over the negatives n of a of exp(S(a, n))), l(a, p) = log(1 + exp(N_a - S(a,
// p))) for each positive: O(batch) an anchor.
#include <cmath>

#include "core/parallel.h"
#include "kernels/batch_loss/batch_loss.h"
#include "kernels/batch_loss/log_sum.h"
#include "kernels/n_pair/n_pair.h"

namespace twinage::cpu {

void n_pair_loss(const Context& ctx, float* loss, View ds, ConstView s, const float* age,
                 float weight, const NPair& options) {
  const Index batch = s.shape.n;
  WorkspaceScope scope(ctx.workspace);
  const Anchors anchors = anchors_in(scope, batch);
  const auto same_class = [&](Index a, Index b) {
    return std::fabs(age[a] - age[b]) <= options.tau;
  };
  parallel_for(ctx.threads, batch, [&](Index a, int) {
    const float* const S = s.pixel(a);
    float* const slope = anchors.slope + a * batch;
    LogSum negatives;
    for (Index n = 0; n < batch; ++n)
      if (!same_class(a, n)) negatives.add(S[n]);
    const double log_sum = negatives.value();
    double sum = 0, push = 0;
    Index positives = 0;
    for (Index p = 0; p < batch; ++p) {
      if (p == a || !same_class(a, p)) continue;
      const double x = log_sum - S[p], e = std::exp(-std::fabs(x));
      const double pull = x > 0 ? 1 / (1 + e) : e / (1 + e);
      ++positives;
      sum += (x > 0 ? x : 0) + std::log1p(e);
      push += pull;
      slope[p] = static_cast<float>(-pull);
    }
    for (Index n = 0; n < batch; ++n)
      if (!same_class(a, n)) slope[n] = static_cast<float>(push * std::exp(S[n] - log_sum));
    slope[a] = 0;
    loss[a] = static_cast<float>(sum);
    anchors.terms[a] = static_cast<float>(positives);
  });
  double terms = 0;
  for (Index a = 0; a < batch; ++a) terms += anchors.terms[a];
  const double by = terms > 0 ? terms : 1, lambda = NPair::kLambda / static_cast<double>(batch);
  parallel_for(ctx.threads, batch, [&](Index a, int) {
    loss[a] = static_cast<float>(loss[a] / by + lambda / 2 * s.pixel(a)[a]);
    for (Index b = 0; b < batch; ++b) {
      const double slope = anchors.slope[a * batch + b] + anchors.slope[b * batch + a];
      ds.pixel(a)[b] = static_cast<float>(weight * (slope / by + (a == b ? lambda : 0)));
    }
  });
}

Index n_pair_workspace(const Context&, Index batch) {
  return anchors_workspace(batch);
}

}  // namespace twinage::cpu
