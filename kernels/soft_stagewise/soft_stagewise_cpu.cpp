// Twenty-one numbers a face: one thread, one row at a time.
#include <algorithm>
#include <cmath>

#include "kernels/soft_stagewise/soft_stagewise.h"

namespace twinage::cpu {
namespace {

struct Row {
  float p[kStages][kStageBins], h[kStages][kStageBins];
  float scale[kStages], mean[kStages], width[kStages];  // D_k, m_k, S_k

  explicit Row(const float* x) {
    float product = 1;
    for (Index k = 0; k < kStages; ++k) {
      const float *l = x + k * (2 * kStageBins + 1), *e = l + kStageBins, *d = e + kStageBins;
      const float largest = *std::max_element(l, l + kStageBins);
      float sum = 0;
      for (Index i = 0; i < kStageBins; ++i) sum += p[k][i] = std::exp(l[i] - largest);
      mean[k] = 0;
      for (Index i = 0; i < kStageBins; ++i) {
        p[k][i] /= sum;
        h[k][i] = std::tanh(e[i]);
        mean[k] += p[k][i] * (static_cast<float>(i) + h[k][i]);
      }
      scale[k] = std::tanh(*d) / 2;
      product *= static_cast<float>(kStageBins) * (1 + scale[k]);
      width[k] = product;
    }
  }
};

}  // namespace

void soft_stagewise_forward(const Context&, View y, ConstView x, float range) {
  for (Index n = 0; n < x.shape.n; ++n) {
    const Row row(x.pixel(n));
    float sum = 0;
    for (Index k = kStages; k-- > 0;) sum += row.mean[k] / row.width[k];
    y.pixel(n)[0] = range * sum;
  }
}

void soft_stagewise_backward(const Context&, View dx, ConstView dy, ConstView x, float range,
                             Write write) {
  for (Index n = 0; n < x.shape.n; ++n) {
    const Row row(x.pixel(n));
    const float g = dy.pixel(n)[0] * range;
    float beyond = 0;
    for (Index k = kStages; k-- > 0;) {
      float* to = dx.pixel(n) + k * (2 * kStageBins + 1);
      const auto put = [&](Index at, float value) {
        to[at] = write == Write::accumulate ? to[at] + value : value;
      };
      const float of_bins = g / row.width[k], scale = row.scale[k];
      for (Index i = 0; i < kStageBins; ++i) {
        const float h = row.h[k][i];
        put(i, of_bins * row.p[k][i] * (static_cast<float>(i) + h - row.mean[k]));
        put(kStageBins + i, of_bins * row.p[k][i] * (1 - h * h));
      }
      beyond += row.mean[k] / row.width[k];
      put(2 * kStageBins, -g * beyond / (1 + scale) * (1 - 4 * scale * scale) / 2);
    }
  }
}

}  // namespace twinage::cpu
