#include <algorithm>
#include <cmath>

#include "kernels/batch_loss/naive_sums.h"
#include "kernels/rank_n_contrast/rank_n_contrast.h"

namespace twinage::naive {

void rank_n_contrast_loss(const Context&, float* loss, float* dd, const float* d, const float* age,
                          Index batch, float weight, const RankNContrast& options) {
  Sums sums(batch);
  const auto gap = [&](Index a, Index i) { return std::fabs(age[a] - age[i]); };
  const auto s = [&](Index a, Index i) {
    return -static_cast<double>(d[pair_index(batch, a, i)]) / options.temperature;
  };
  for (Index a = 0; a < batch; ++a)
    for (Index j = 0; j < batch; ++j) {
      if (j == a) continue;
      const auto counts = [&](Index k) { return k != a && gap(a, k) >= gap(a, j); };
      double largest = s(a, j);  // taken out, so that no exponential overflows
      for (Index k = 0; k < batch; ++k)
        if (counts(k)) largest = std::max(largest, s(a, k));
      double sum = 0;
      for (Index k = 0; k < batch; ++k)
        if (counts(k)) sum += std::exp(s(a, k) - largest);
      sums.terms += 1;
      sums.loss_of(a) += largest + std::log(sum) - s(a, j);
      // d l / d s(a, k) = exp(s(a, k)) / the sum, less 1 for j; d s / d D = -1 / temperature
      sums.slope_of(a, j) += 1 / static_cast<double>(options.temperature);
      for (Index k = 0; k < batch; ++k)
        if (counts(k))
          sums.slope_of(a, k) -= std::exp(s(a, k) - largest) / sum / options.temperature;
    }
  sums.write(loss, dd, nullptr, weight, MeanOver::terms);
}

}  // namespace twinage::naive
