// With N_i = log(sum over the negatives k of i of exp(m - D(i, k))) of every face, a pair's J is
// one more logarithm. Each pair is a term of both its faces, J^2 / 2, and the loss their mean.
#include <algorithm>
#include <cmath>

#include "core/parallel.h"
#include "kernels/batch_loss/batch_loss.h"
#include "kernels/batch_loss/log_sum.h"
#include "kernels/lifted/lifted.h"

namespace twinage::cpu {

void lifted_loss(const Context& ctx, float* loss, float* dd, float* active, const float* d,
                 const float* age, Index batch, float weight, const Lifted& options) {
  WorkspaceScope scope(ctx.workspace);
  const Anchors anchors = anchors_in(scope, batch);
  auto* const of_negatives = reinterpret_cast<double*>(scope.floats(2 * batch));  // N
  const auto same_class = [&](Index a, Index b) {
    return std::fabs(age[a] - age[b]) <= options.tau;
  };
  const auto exponent = [&](Index a, Index k) {
    return static_cast<double>(options.margin) - d[pair_index(batch, a, k)];
  };
  parallel_for(ctx.threads, batch, [&](Index a, int) {
    LogSum sum;
    for (Index k = 0; k < batch; ++k)
      if (k != a && !same_class(a, k)) sum.add(exponent(a, k));
    of_negatives[a] = sum.value();
  });
  parallel_for(ctx.threads, batch, [&](Index a, int) {
    float* const slope = anchors.slope + a * batch;
    double sum = 0, by_negatives = 0;  // by N_a
    Index positives = 0, active_pairs = 0;
    for (Index j = 0; j < batch; ++j) {
      if (j == a || !same_class(a, j)) continue;
      ++positives;
      const double both = log_add(of_negatives[a], of_negatives[j]);
      const double J = both + d[pair_index(batch, a, j)];
      const double counted = J <= 0 ? 0 : J;  // NaN stays
      active_pairs += J <= 0 ? 0 : 1;
      sum += counted * counted / 2;
      slope[j] = static_cast<float>(counted);
      if (counted != 0) by_negatives += counted * std::exp(of_negatives[a] - both);
    }
    // N_a is in the pair's term of the other face, too.
    for (Index k = 0; k < batch; ++k) {
      if (k == a) slope[k] = 0;
      if (k == a || same_class(a, k)) continue;
      slope[k] =
          by_negatives == 0
              ? 0
              : static_cast<float>(-2 * by_negatives * std::exp(exponent(a, k) - of_negatives[a]));
    }
    loss[a] = static_cast<float>(sum);
    anchors.terms[a] = static_cast<float>(positives);
    anchors.active[a] = static_cast<float>(active_pairs);
  });
  gather_pairs(ctx, loss, dd, active, anchors, batch, weight, MeanOver::terms);
}

Index lifted_workspace(const Context&, Index batch) {
  return anchors_workspace(batch) + workspace_floats(2 * batch);
}

}  // namespace twinage::cpu
