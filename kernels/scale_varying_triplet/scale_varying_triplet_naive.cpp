#include <algorithm>
#include <cmath>

#include "kernels/batch_loss/naive_sums.h"
#include "kernels/scale_varying_triplet/scale_varying_triplet.h"

namespace twinage::naive {

void scale_varying_triplet_loss(const Context&, float* loss, float* dd, float* misordered,
                                const float* d, const float* age, Index batch, float weight,
                                const ScaleVaryingTriplet& options) {
  Sums sums(batch);
  for (Index a = 0; a < batch; ++a)
    for (Index p = 0; p < batch; ++p)
      for (Index n = 0; n < batch; ++n) {
        const float gap_p = std::fabs(age[a] - age[p]), gap_n = std::fabs(age[a] - age[n]);
        if (p == a || n == a || !(gap_p < gap_n)) continue;
        const double dp = d[pair_index(batch, a, p)], dn = d[pair_index(batch, a, n)];
        const double e = static_cast<double>(ScaleVaryingTriplet::kEpsilon);
        const double w = (1 + e) / (static_cast<double>(gap_p) / options.gap_max + e);
        const double x = dp * dp - dn * dn;
        const double of_size = std::exp(-std::fabs(x));  // no overflow for any x
        const double slope = (x > 0 ? 1 : of_size) / (1 + of_size);
        sums.terms += 1;
        sums.active += dp < dn ? 0 : 1;
        sums.loss_of(a) += w * ((x > 0 ? x : 0) + std::log1p(of_size));
        sums.slope_of(a, p) += w * slope * 2 * dp;
        sums.slope_of(a, n) -= w * slope * 2 * dn;
      }
  sums.write(loss, dd, misordered, weight, MeanOver::terms);
}

}  // namespace twinage::naive
