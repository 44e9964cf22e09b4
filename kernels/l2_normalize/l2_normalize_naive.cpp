#include <cmath>

#include "kernels/l2_normalize/l2_normalize.h"

namespace twinage::naive {
namespace {

double dot(const float* a, const float* b, Index count) {
  double sum = 0;
  for (Index c = 0; c < count; ++c) sum += static_cast<double>(a[c]) * static_cast<double>(b[c]);
  return sum;
}

}  // namespace

void l2_normalize_forward(const Context&, View y, ConstView x, float radius) {
  for (Index n = 0; n < x.shape.n; ++n) {
    const double norm = std::sqrt(dot(x.pixel(n), x.pixel(n), x.shape.c));
    for (Index c = 0; c < x.shape.c; ++c) {
      const double here = x.pixel(n)[c];
      y.pixel(n)[c] = norm == 0 ? 0.0F : static_cast<float>(radius * here / norm);
    }
  }
}

void l2_normalize_backward(const Context&, View dx, ConstView dy, ConstView x, float radius,
                           Write write) {
  for (Index n = 0; n < x.shape.n; ++n) {
    const double norm = std::sqrt(dot(x.pixel(n), x.pixel(n), x.shape.c));
    const double along = dot(dy.pixel(n), x.pixel(n), x.shape.c) / norm;  // dy . u
    for (Index c = 0; c < x.shape.c; ++c) {
      const double across = dy.pixel(n)[c] - along * x.pixel(n)[c] / norm;
      const auto d = norm == 0 ? 0.0F : static_cast<float>(radius / norm * across);
      dx.pixel(n)[c] = write == Write::accumulate ? dx.pixel(n)[c] + d : d;
    }
  }
}

}  // namespace twinage::naive
