#include "kernels/pool/pool.h"

namespace twinage::naive {
namespace {

// Calls f(n, p, q, c) for every element of y.
template <class F>
void each_output(Shape y, F f) {
  for (Index n = 0; n < y.n; ++n)
    for (Index p = 0; p < y.h; ++p)
      for (Index q = 0; q < y.w; ++q)
        for (Index c = 0; c < y.c; ++c) f(n, p, q, c);
}

// Calls f(pixel) for the pixels of window (n, p, q) that lie inside the picture, row by row.
template <class F>
void each_pixel_of_window(Shape x, Pool pool, Index n, Index p, Index q, F f) {
  for (Index r = 0; r < pool.window; ++r)
    for (Index s = 0; s < pool.window; ++s) {
      const Index h = p * pool.stride - pool.pad + r, w = q * pool.stride - pool.pad + s;
      if (h >= 0 && h < x.h && w >= 0 && w < x.w) f((n * x.h + h) * x.w + w);
    }
}

Index pixel_of(Shape y, Index n, Index p, Index q) {
  return (n * y.h + p) * y.w + q;
}

void zero_if(View dx, Write write) {
  if (write == Write::accumulate) return;
  for (Index p = 0; p < dx.shape.pixels(); ++p)
    for (Index c = 0; c < dx.shape.c; ++c) dx.pixel(p)[c] = 0;
}

}  // namespace

void max_pool_forward(const Context&, View y, ConstView x, Pool pool) {
  each_output(y.shape, [&](Index n, Index p, Index q, Index c) {
    const float* largest = nullptr;
    each_pixel_of_window(x.shape, pool, n, p, q, [&](Index pixel) {
      const float* value = x.pixel(pixel) + c;
      if (largest == nullptr || *value > *largest) largest = value;
    });
    y.pixel(pixel_of(y.shape, n, p, q))[c] = *largest;
  });
}

void max_pool_backward(const Context&, View dx, ConstView dy, ConstView x, ConstView y, Pool pool,
                       Write write) {
  zero_if(dx, write);
  each_output(y.shape, [&](Index n, Index p, Index q, Index c) {
    const Index window = pixel_of(y.shape, n, p, q);
    bool found = false;
    each_pixel_of_window(x.shape, pool, n, p, q, [&](Index pixel) {
      if (found || x.pixel(pixel)[c] != y.pixel(window)[c]) return;
      found = true;
      dx.pixel(pixel)[c] += dy.pixel(window)[c];
    });
  });
}

void average_pool_forward(const Context&, View y, ConstView x, Pool pool) {
  const auto area = static_cast<double>(pool.window * pool.window);
  each_output(y.shape, [&](Index n, Index p, Index q, Index c) {
    double sum = 0;
    each_pixel_of_window(x.shape, pool, n, p, q, [&](Index pixel) { sum += x.pixel(pixel)[c]; });
    y.pixel(pixel_of(y.shape, n, p, q))[c] = static_cast<float>(sum / area);
  });
}

void average_pool_backward(const Context&, View dx, ConstView dy, Pool pool, Write write) {
  zero_if(dx, write);
  const auto area = static_cast<float>(pool.window * pool.window);
  each_output(dy.shape, [&](Index n, Index p, Index q, Index c) {
    const float share = dy.pixel(pixel_of(dy.shape, n, p, q))[c] / area;
    each_pixel_of_window(dx.shape, pool, n, p, q,
                         [&](Index pixel) { dx.pixel(pixel)[c] += share; });
  });
}

void global_average_pool_forward(const Context&, View y, ConstView x) {
  const Index area = x.shape.h * x.shape.w;
  for (Index n = 0; n < x.shape.n; ++n)
    for (Index c = 0; c < x.shape.c; ++c) {
      double sum = 0;
      for (Index p = 0; p < area; ++p) sum += x.pixel(n * area + p)[c];
      y.pixel(n)[c] = static_cast<float>(sum / static_cast<double>(area));
    }
}

void global_average_pool_backward(const Context&, View dx, ConstView dy, Write write) {
  zero_if(dx, write);
  const Index area = dx.shape.h * dx.shape.w;
  for (Index p = 0; p < dx.shape.pixels(); ++p)
    for (Index c = 0; c < dx.shape.c; ++c)
      dx.pixel(p)[c] += dy.pixel(p / area)[c] / static_cast<float>(area);
}

}  // namespace twinage::naive
