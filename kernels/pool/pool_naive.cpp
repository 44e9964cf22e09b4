#include "kernels/pool/pool.h"

namespace twinage::naive {
namespace {

// Calls f(p, q): every window of one channel of one image.
template <class F>
void each_window(Shape y, F f) {
  for (Index p = 0; p < y.h; ++p)
    for (Index q = 0; q < y.w; ++q) f(p, q);
}

// Calls f(offset) for the pixels of window (p, q) that lie inside the picture, row by row; offset
// counts from the image's first value of that channel.
template <class F>
void each_pixel_of_window(ConstView x, Pool pool, Index p, Index q, F f) {
  for (Index r = 0; r < pool.window; ++r)
    for (Index s = 0; s < pool.window; ++s) {
      const Index h = p * pool.stride - pool.pad + r, w = q * pool.stride - pool.pad + s;
      if (h >= 0 && h < x.shape.h && w >= 0 && w < x.shape.w) f((h * x.shape.w + w) * x.ld);
    }
}

// Calls f(image n of all views' channel c, as offsets from their data).
template <class F>
void each_image_and_channel(Shape shape, F f) {
  for (Index n = 0; n < shape.n; ++n)
    for (Index c = 0; c < shape.c; ++c) f(n, c);
}

void prepare(View dx, Write write) {
  if (write == Write::accumulate) return;
  for (Index p = 0; p < dx.shape.pixels(); ++p)
    for (Index c = 0; c < dx.shape.c; ++c) dx.pixel(p)[c] = 0;
}

}  // namespace

void max_pool_forward(const Context&, View y, ConstView x, Pool pool) {
  each_image_and_channel(y.shape, [&](Index n, Index c) {
    const float* from = x.images(n, 1).data + c;
    each_window(y.shape, [&](Index p, Index q) {
      const float* largest = nullptr;
      each_pixel_of_window(x, pool, p, q, [&](Index offset) {
        if (largest == nullptr || from[offset] > *largest) largest = from + offset;
      });
      y.images(n, 1).pixel(p * y.shape.w + q)[c] = *largest;
    });
  });
}

void max_pool_backward(const Context&, View dx, ConstView dy, ConstView x, ConstView y, Pool pool,
                       Write write) {
  prepare(dx, write);
  const ConstView where{dx.data, dx.shape, dx.ld};
  each_image_and_channel(y.shape, [&](Index n, Index c) {
    const float* from = x.images(n, 1).data + c;
    float* to = dx.images(n, 1).data + c;
    each_window(y.shape, [&](Index p, Index q) {
      const Index window = p * y.shape.w + q;
      const float largest = y.images(n, 1).pixel(window)[c];
      bool found = false;
      each_pixel_of_window(where, pool, p, q, [&](Index offset) {
        if (found || from[offset / dx.ld * x.ld] != largest) return;
        found = true;
        to[offset] += dy.images(n, 1).pixel(window)[c];
      });
    });
  });
}

void average_pool_forward(const Context&, View y, ConstView x, Pool pool) {
  const auto area = static_cast<double>(pool.window * pool.window);
  each_image_and_channel(y.shape, [&](Index n, Index c) {
    const float* from = x.images(n, 1).data + c;
    each_window(y.shape, [&](Index p, Index q) {
      double sum = 0;
      each_pixel_of_window(x, pool, p, q, [&](Index offset) { sum += from[offset]; });
      y.images(n, 1).pixel(p * y.shape.w + q)[c] = static_cast<float>(sum / area);
    });
  });
}

void average_pool_backward(const Context&, View dx, ConstView dy, Pool pool, Write write) {
  prepare(dx, write);
  const auto area = static_cast<float>(pool.window * pool.window);
  each_image_and_channel(dy.shape, [&](Index n, Index c) {
    float* to = dx.images(n, 1).data + c;
    each_window(dy.shape, [&](Index p, Index q) {
      const float share = dy.images(n, 1).pixel(p * dy.shape.w + q)[c] / area;
      each_pixel_of_window(dx, pool, p, q, [&](Index offset) { to[offset] += share; });
    });
  });
}

void global_average_pool_forward(const Context&, View y, ConstView x) {
  each_image_and_channel(y.shape, [&](Index n, Index c) {
    const ConstView image = x.images(n, 1);
    double sum = 0;
    for (Index p = 0; p < image.shape.pixels(); ++p) sum += image.pixel(p)[c];
    y.pixel(n)[c] = static_cast<float>(sum / static_cast<double>(image.shape.pixels()));
  });
}

void global_average_pool_backward(const Context&, View dx, ConstView dy, Write write) {
  prepare(dx, write);
  each_image_and_channel(dy.shape, [&](Index n, Index c) {
    const View image = dx.images(n, 1);
    for (Index p = 0; p < image.shape.pixels(); ++p)
      image.pixel(p)[c] += dy.pixel(n)[c] / static_cast<float>(image.shape.pixels());
  });
}

}  // namespace twinage::naive
