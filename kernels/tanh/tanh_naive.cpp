#include <cmath>

#include "kernels/tanh/tanh.h"

namespace twinage::naive {

void tanh_forward(const Context&, View y, ConstView x) {
  for (Index p = 0; p < y.shape.pixels(); ++p)
    for (Index c = 0; c < y.shape.c; ++c)
      y.pixel(p)[c] = static_cast<float>(std::tanh(static_cast<double>(x.pixel(p)[c])));
}

void tanh_backward(const Context&, View dx, ConstView dy, ConstView y) {
  for (Index p = 0; p < y.shape.pixels(); ++p)
    for (Index c = 0; c < y.shape.c; ++c) {
      const double value = y.pixel(p)[c];
      dx.pixel(p)[c] = static_cast<float>(dy.pixel(p)[c] * (1 - value * value));
    }
}

}  // namespace twinage::naive
