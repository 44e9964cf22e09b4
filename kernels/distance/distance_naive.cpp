#include <cmath>

#include "kernels/distance/distance.h"

namespace twinage::naive {
namespace {

float distance(const float* a, const float* b, Index width) {
  double sum = 0;
  for (Index i = 0; i < width; ++i) {
    const double difference = static_cast<double>(a[i]) - b[i];
    sum += difference * difference;
  }
  return static_cast<float>(std::sqrt(sum));
}

}  // namespace

void distance_pairs_forward(const Context&, float* d, ConstView z,
                            std::span<const IndexPair> pairs) {
  for (std::size_t p = 0; p < pairs.size(); ++p)
    d[p] = distance(z.pixel(pairs[p].a), z.pixel(pairs[p].b), z.shape.c);
}

void distance_pairs_backward(const Context&, View dz, ConstView z, std::span<const IndexPair> pairs,
                             const float* d, const float* dd) {
  for (std::size_t p = 0; p < pairs.size(); ++p) {
    if (d[p] == 0) continue;
    const auto [a, b] = pairs[p];
    for (Index i = 0; i < z.shape.c; ++i) {
      const double difference = static_cast<double>(z.pixel(a)[i]) - z.pixel(b)[i];
      const auto step = static_cast<float>(dd[p] * difference / d[p]);
      dz.pixel(a)[i] += step;
      dz.pixel(b)[i] -= step;
    }
  }
}

void distance_matrix(const Context&, View d, ConstView a, ConstView b) {
  for (Index i = 0; i < a.shape.n; ++i)
    for (Index j = 0; j < b.shape.n; ++j)
      d.pixel(i)[j] = distance(a.pixel(i), b.pixel(j), a.shape.c);
}

}  // namespace twinage::naive
