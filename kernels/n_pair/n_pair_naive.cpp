#include <cmath>
#include <vector>

#include "kernels/n_pair/n_pair.h"

namespace twinage::naive {

void n_pair_loss(const Context&, float* loss, View ds, ConstView s, const float* age, float weight,
                 const NPair& options) {
  const Index batch = s.shape.n;
  std::vector<double> sums(static_cast<std::size_t>(batch));
  std::vector<double> slopes(static_cast<std::size_t>(batch * batch));  // by S
  const auto slope = [&](Index a, Index b) -> double& {
    return slopes[static_cast<std::size_t>(a * batch + b)];
  };
  const auto same_class = [&](Index a, Index b) {
    return std::fabs(age[a] - age[b]) <= options.tau;
  };
  const auto S = [&](Index a, Index b) { return static_cast<double>(s.pixel(a)[b]); };
  double terms = 0;
  for (Index a = 0; a < batch; ++a)
    for (Index p = 0; p < batch; ++p) {
      if (p == a || !same_class(a, p)) continue;
      double largest = 0, sum = 0;  // largest: taken out, so that no exponential overflows
      for (Index n = 0; n < batch; ++n)
        if (!same_class(a, n)) largest = std::max(largest, S(a, n) - S(a, p));
      for (Index n = 0; n < batch; ++n)
        if (!same_class(a, n)) sum += std::exp(S(a, n) - S(a, p) - largest);
      const double one = std::exp(-largest);
      terms += 1;
      sums[static_cast<std::size_t>(a)] +=
          largest > 0 ? largest + std::log(one + sum) : std::log1p(sum);
      for (Index n = 0; n < batch; ++n)
        if (!same_class(a, n)) slope(a, n) += std::exp(S(a, n) - S(a, p) - largest) / (one + sum);
      slope(a, p) -= sum / (one + sum);
    }
  const double by = terms > 0 ? terms : 1, lambda = NPair::kLambda;
  for (Index a = 0; a < batch; ++a) {
    loss[a] = static_cast<float>(sums[static_cast<std::size_t>(a)] / by +
                                 lambda / 2 * S(a, a) / static_cast<double>(batch));
    for (Index b = 0; b < batch; ++b)
      ds.pixel(a)[b] =
          static_cast<float>(weight * ((slope(a, b) + slope(b, a)) / by +
                                       (a == b ? lambda / static_cast<double>(batch) : 0)));
  }
}

}  // namespace twinage::naive
