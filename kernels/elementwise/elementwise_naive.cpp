#include <cmath>

#include "kernels/elementwise/elementwise.h"

namespace twinage::naive {

void fill(const Context&, View y, float value) {
  for (Index p = 0; p < y.shape.pixels(); ++p)
    for (Index c = 0; c < y.shape.c; ++c) y.pixel(p)[c] = value;
}

void copy(const Context&, View y, ConstView x) {
  for (Index p = 0; p < y.shape.pixels(); ++p)
    for (Index c = 0; c < y.shape.c; ++c) y.pixel(p)[c] = x.pixel(p)[c];
}

void add(const Context&, View y, ConstView x) {
  for (Index p = 0; p < y.shape.pixels(); ++p)
    for (Index c = 0; c < y.shape.c; ++c) y.pixel(p)[c] += x.pixel(p)[c];
}

void multiply(const Context&, View y, ConstView a, ConstView b) {
  for (Index p = 0; p < y.shape.pixels(); ++p)
    for (Index c = 0; c < y.shape.c; ++c) y.pixel(p)[c] = a.pixel(p)[c] * b.pixel(p)[c];
}

void add_bias(const Context&, View y, const float* bias) {
  for (Index p = 0; p < y.shape.pixels(); ++p)
    for (Index c = 0; c < y.shape.c; ++c) y.pixel(p)[c] += bias[c];
}

void sum_pixels(const Context&, float* sum, ConstView x) {
  for (Index c = 0; c < x.shape.c; ++c) {
    double total = sum[c];
    for (Index p = 0; p < x.shape.pixels(); ++p) total += x.pixel(p)[c];
    sum[c] = static_cast<float>(total);
  }
}

void scale_rows(const Context&, View y, ConstView x, const float* scale) {
  for (Index n = 0; n < y.shape.n; ++n) {
    const View yn = y.images(n, 1);
    const ConstView xn = x.images(n, 1);
    for (Index p = 0; p < yn.shape.pixels(); ++p)
      for (Index c = 0; c < yn.shape.c; ++c) yn.pixel(p)[c] = xn.pixel(p)[c] * scale[n];
  }
}

void lerp(const Context&, View y, ConstView x, float share) {
  for (Index p = 0; p < y.shape.pixels(); ++p)
    for (Index c = 0; c < y.shape.c; ++c) y.pixel(p)[c] += share * (x.pixel(p)[c] - y.pixel(p)[c]);
}

bool all_finite(const Context&, ConstView x) {
  bool finite = true;
  for (Index p = 0; p < x.shape.pixels(); ++p)
    for (Index c = 0; c < x.shape.c; ++c) finite = finite && std::isfinite(x.pixel(p)[c]);
  return finite;
}

}  // namespace twinage::naive
