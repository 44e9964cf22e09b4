#include <algorithm>
#include <cmath>

#include "kernels/soft_stagewise/soft_stagewise.h"

namespace twinage::naive {
namespace {

// Stage k of a row.
struct Stage {
  double p[kStageBins]{}, h[kStageBins]{};  // of each bin
  double scale = 0, mean = 0;               // D_k, m_k

  Stage(const float* row, Index k) {
    const float *l = row + k * (2 * kStageBins + 1), *e = l + kStageBins, *d = e + kStageBins;
    const double largest = *std::max_element(l, l + kStageBins);
    double sum = 0;
    for (Index i = 0; i < kStageBins; ++i) sum += std::exp(l[i] - largest);
    for (Index i = 0; i < kStageBins; ++i) {
      p[i] = std::exp(l[i] - largest) / sum;
      h[i] = std::tanh(static_cast<double>(e[i]));
      mean += p[i] * (static_cast<double>(i) + h[i]);
    }
    scale = std::tanh(static_cast<double>(*d)) / 2;
  }
};

// S_k
double width_of(const float* row, Index k) {
  double product = 1;
  for (Index j = 0; j <= k; ++j) product *= kStageBins * (1 + Stage(row, j).scale);
  return product;
}

}  // namespace

void soft_stagewise_forward(const Context&, View y, ConstView x, float range) {
  for (Index n = 0; n < x.shape.n; ++n) {
    const float* row = x.pixel(n);
    double sum = 0;
    for (Index k = 0; k < kStages; ++k) sum += Stage(row, k).mean / width_of(row, k);
    y.pixel(n)[0] = static_cast<float>(range * sum);
  }
}

void soft_stagewise_backward(const Context&, View dx, ConstView dy, ConstView x, float range,
                             Write write) {
  for (Index n = 0; n < x.shape.n; ++n) {
    const float* row = x.pixel(n);
    const double g = static_cast<double>(dy.pixel(n)[0]) * range;
    for (Index k = 0; k < kStages; ++k) {
      const Stage stage(row, k);
      const double of_bins = g / width_of(row, k);
      float* to = dx.pixel(n) + k * (2 * kStageBins + 1);
      const auto put = [&](Index at, double value) {
        to[at] = static_cast<float>(write == Write::accumulate ? to[at] + value : value);
      };
      for (Index i = 0; i < kStageBins; ++i) {
        const double h = stage.h[i];
        put(i, of_bins * stage.p[i] * (static_cast<double>(i) + h - stage.mean));
        put(kStageBins + i, of_bins * stage.p[i] * (1 - h * h));
      }
      double beyond = 0;
      for (Index j = k; j < kStages; ++j) beyond += Stage(row, j).mean / width_of(row, j);
      put(2 * kStageBins,
          -g * beyond / (1 + stage.scale) * (1 - 4 * stage.scale * stage.scale) / 2);
    }
  }
}

}  // namespace twinage::naive
