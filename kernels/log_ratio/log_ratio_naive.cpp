#include <algorithm>
#include <cmath>

#include "kernels/batch_loss/naive_sums.h"
#include "kernels/log_ratio/log_ratio.h"

namespace twinage::naive {
namespace {

// One side of a ratio.
struct Side {
  double gap, log_d, log_g, slope;  // slope: d log_d / d D
};

Side side_of(double d, double gap, double gap_min) {
  const double square = d * d + static_cast<double>(LogRatio::kEpsilon) * LogRatio::kEpsilon;
  return {gap, std::log(square) / 2, std::log(std::max(gap, gap_min)), d / square};
}

}  // namespace

void log_ratio_loss(const Context&, float* loss, float* dd, const float* d, const float* age,
                    Index batch, float weight, const LogRatio& options) {
  Sums sums(batch);
  const auto side = [&](Index a, Index i) {
    return side_of(d[pair_index(batch, a, i)], std::fabs(age[a] - age[i]), options.gap_min);
  };
  for (Index a = 0; a < batch; ++a)
    for (Index i = 0; i < batch; ++i)
      for (Index j = i + 1; j < batch; ++j) {
        if (i == a || j == a) continue;
        const Side x = side(a, i), y = side(a, j);
        if (x.gap < options.gap_min && y.gap < options.gap_min) continue;
        const double error = (x.log_d - y.log_d) - (x.log_g - y.log_g);
        sums.terms += 1;
        sums.loss_of(a) += error * error;
        sums.slope_of(a, i) += 2 * error * x.slope;
        sums.slope_of(a, j) -= 2 * error * y.slope;
      }
  sums.write(loss, dd, nullptr, weight, MeanOver::terms);
}

}  // namespace twinage::naive
