// The definition, in plain loops with double accumulators.
#include <vector>

#include "kernels/depthwise_conv2d/depthwise_conv2d.h"

namespace twinage::naive {
namespace {

// Calls f(pixel of x, pixel of y, tap) for every product of a channel's sums, in the order of y's
// pixels and of the taps. Products with the padding are 0 and left out.
template <class F>
void each_product(Shape x, Shape y, Shape w, Conv2d conv, F f) {
  for (Index n = 0; n < y.n; ++n)
    for (Index p = 0; p < y.h; ++p)
      for (Index q = 0; q < y.w; ++q)
        for (Index r = 0; r < w.h; ++r)
          for (Index s = 0; s < w.w; ++s) {
            const Index row = p * conv.stride - conv.pad_h + r;
            const Index column = q * conv.stride - conv.pad_w + s;
            if (row < 0 || row >= x.h || column < 0 || column >= x.w) continue;
            f((n * x.h + row) * x.w + column, (n * y.h + p) * y.w + q, r * w.w + s);
          }
}

// The sums of one channel, as many as its output has elements.
class Sums {
 public:
  explicit Sums(Index count) : values_(static_cast<std::size_t>(count)) {}
  double& operator[](Index i) { return values_[static_cast<std::size_t>(i)]; }

 private:
  std::vector<double> values_;
};

void put(float& to, double sum, Write write) {
  to = static_cast<float>(write == Write::accumulate ? static_cast<double>(to) + sum : sum);
}

// w[c, tap]
const float* filter_of(ConstView w, Index c) {
  return w.data + c * w.shape.h * w.shape.w;
}

}  // namespace

void depthwise_conv2d_forward(const Context&, View y, ConstView x, ConstView w, Conv2d conv,
                              ConvEpilogue epilogue) {
  for (Index c = 0; c < x.shape.c; ++c) {
    Sums sum(y.shape.pixels());
    each_product(x.shape, y.shape, w.shape, conv, [&](Index from, Index to, Index tap) {
      sum[to] += static_cast<double>(x.pixel(from)[c]) * static_cast<double>(filter_of(w, c)[tap]);
    });
    for (Index i = 0; i < y.shape.pixels(); ++i) {
      float& value = y.pixel(i)[c];
      value = static_cast<float>(sum[i]);
      if (epilogue.bias != nullptr) value += epilogue.bias[c];
      if (epilogue.relu && value < 0) value = 0;
    }
  }
}

void depthwise_conv2d_backward_data(const Context&, View dx, ConstView dy, ConstView w, Conv2d conv,
                                    Write write) {
  for (Index c = 0; c < dx.shape.c; ++c) {
    Sums sum(dx.shape.pixels());
    each_product(dx.shape, dy.shape, w.shape, conv, [&](Index to, Index from, Index tap) {
      sum[to] += static_cast<double>(dy.pixel(from)[c]) * static_cast<double>(filter_of(w, c)[tap]);
    });
    for (Index i = 0; i < dx.shape.pixels(); ++i) put(dx.pixel(i)[c], sum[i], write);
  }
}

void depthwise_conv2d_backward_filter(const Context&, View dw, ConstView dy, ConstView x,
                                      Conv2d conv, Write write) {
  const Index taps = dw.shape.h * dw.shape.w;
  for (Index c = 0; c < x.shape.c; ++c) {
    Sums sum(taps);
    each_product(x.shape, dy.shape, dw.shape, conv, [&](Index in, Index out, Index tap) {
      sum[tap] += static_cast<double>(dy.pixel(out)[c]) * static_cast<double>(x.pixel(in)[c]);
    });
    for (Index tap = 0; tap < taps; ++tap) put(dw.data[c * taps + tap], sum[tap], write);
  }
}

}  // namespace twinage::naive
