// An anchor's triplets without going through them. With u = log D - log g of a face, a triplet's l
// is (u_i - u_j)^2, and of n numbers with the mean m
//
//   sum over two of them of (u_i - u_j)^2 = n * sum of (u_i - m)^2
//
// Here the faces are of two kinds, near (g < g_min) and far, and two near ones are no triplet. With
// the squares Q = sum of (u - m)^2 of either kind that leaves
//
//   (far + near) * Q_far + far * Q_near + far * near * (m_far - m_near)^2
//
// whose terms are all positive: nothing cancels.
#include <algorithm>
#include <cmath>

#include "core/parallel.h"
#include "kernels/batch_loss/batch_loss.h"
#include "kernels/log_ratio/log_ratio.h"

namespace twinage::cpu {
namespace {

// Of the faces of one kind.
struct Kind {
  double count = 0, mean = 0, squares = 0;  // mean: first the sum
  void divide() { mean = count > 0 ? mean / count : 0; }
};

}  // namespace

void log_ratio_loss(const Context& ctx, float* loss, float* dd, const float* d, const float* age,
                    Index batch, float weight, const LogRatio& options) {
  WorkspaceScope scope(ctx.workspace);
  const Anchors anchors = anchors_in(scope, batch);
  parallel_for(ctx.threads, batch, [&](Index a, int) {
    float* const u = anchors.slope + a * batch;  // until the slopes take its place
    const auto is_near = [&](Index i) { return std::fabs(age[a] - age[i]) < options.gap_min; };
    const auto square_of = [&](Index i) {
      const double distance = d[pair_index(batch, a, i)];
      return distance * distance + static_cast<double>(LogRatio::kEpsilon) * LogRatio::kEpsilon;
    };
    Kind near, far;
    for (Index i = 0; i < batch; ++i) {
      if (i == a) continue;
      const float gap = std::max(std::fabs(age[a] - age[i]), options.gap_min);
      u[i] = static_cast<float>(std::log(square_of(i)) / 2 - std::log(static_cast<double>(gap)));
      Kind& kind = is_near(i) ? near : far;
      kind.count += 1;
      kind.mean += u[i];
    }
    near.divide();
    far.divide();
    for (Index i = 0; i < batch; ++i) {
      if (i == a) continue;
      const bool i_is_near = is_near(i);
      Kind& kind = i_is_near ? near : far;
      kind.squares += (u[i] - kind.mean) * (u[i] - kind.mean);
      const double pull =
          far.count * (u[i] - far.mean) + (i_is_near ? 0 : near.count * (u[i] - near.mean));
      const double distance = d[pair_index(batch, a, i)];
      u[i] = static_cast<float>(2 * pull * distance / square_of(i));
    }
    u[a] = 0;
    const double apart = far.mean - near.mean;
    loss[a] = static_cast<float>((far.count + near.count) * far.squares + far.count * near.squares +
                                 far.count * near.count * apart * apart);
    anchors.terms[a] = static_cast<float>(far.count * (far.count - 1) / 2 + far.count * near.count);
    anchors.active[a] = anchors.terms[a];
  });
  gather_pairs(ctx, loss, dd, nullptr, anchors, batch, weight, MeanOver::terms);
}

Index log_ratio_workspace(const Context&, Index batch) {
  return anchors_workspace(batch);
}

}  // namespace twinage::cpu
