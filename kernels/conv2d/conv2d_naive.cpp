// The definition, in plain loops with double accumulators. What every other backend is compared
// with; speed is no concern here.
#include <algorithm>

#include "kernels/conv2d/conv2d.h"
#include "kernels/product/operand_naive.h"

namespace twinage::naive {
namespace {

float* at(View t, Index n, Index h, Index w) {
  return t.data + ((n * t.shape.h + h) * t.shape.w + w) * t.ld;
}

const float* at(ConstView t, Index n, Index h, Index w) {
  return t.data + ((n * t.shape.h + h) * t.shape.w + w) * t.ld;
}

bool inside(Shape picture, Index h, Index w) {
  return h >= 0 && h < picture.h && w >= 0 && w < picture.w;
}

// Two passes: the mean, then the mean squared distance from it.
void statistics(float* mean, float* variance, ConstView y) {
  const Index pixels = y.shape.pixels();
  for (Index k = 0; k < y.shape.c; ++k) {
    double sum = 0, squares = 0;
    for (Index i = 0; i < pixels; ++i) sum += y.pixel(i)[k];
    const double m = pixels > 0 ? sum / static_cast<double>(pixels) : 0;
    for (Index i = 0; i < pixels; ++i) squares += (y.pixel(i)[k] - m) * (y.pixel(i)[k] - m);
    mean[k] = static_cast<float>(m);
    variance[k] = static_cast<float>(pixels > 0 ? squares / static_cast<double>(pixels) : 0);
  }
}

}  // namespace

void conv2d_forward(const Context& ctx, View y, ConstView x, ConstView w, Conv2d conv,
                    ConvEpilogue epilogue) {
  const Shape ys = y.shape, ws = w.shape;
  for (Index n = 0; n < ys.n; ++n)
    for (Index p = 0; p < ys.h; ++p)
      for (Index q = 0; q < ys.w; ++q)
        for (Index k = 0; k < ys.c; ++k) {
          double sum = 0;
          for (Index r = 0; r < ws.h; ++r)
            for (Index s = 0; s < ws.w; ++s) {
              const Index row = p * conv.stride - conv.pad_h + r;
              const Index column = q * conv.stride - conv.pad_w + s;
              if (!inside(x.shape, row, column)) continue;
              const float* pixel = at(x, n, row, column);
              const float* tap = at(w, k, r, s);
              for (Index c = 0; c < ws.c; ++c) sum += operand(ctx, pixel[c]) * operand(ctx, tap[c]);
            }
          at(y, n, p, q)[k] = static_cast<float>(sum);
        }

  if (epilogue.mean != nullptr) statistics(epilogue.mean, epilogue.variance, y);
  for (Index i = 0; i < ys.pixels(); ++i)
    for (Index k = 0; k < ys.c; ++k) {
      float& value = y.pixel(i)[k];
      if (epilogue.bias != nullptr) value += epilogue.bias[k];
      if (epilogue.relu) value = std::max(value, 0.0F);
    }
}

void conv2d_backward_data(const Context& ctx, View dx, ConstView dy, ConstView w, Conv2d conv,
                          Write write) {
  const Shape xs = dx.shape, ys = dy.shape, ws = w.shape;
  for (Index n = 0; n < xs.n; ++n)
    for (Index row = 0; row < xs.h; ++row)
      for (Index column = 0; column < xs.w; ++column)
        for (Index c = 0; c < xs.c; ++c) {
          double sum = 0;
          for (Index r = 0; r < ws.h; ++r)
            for (Index s = 0; s < ws.w; ++s) {
              // y's pixel (p, q) sees this pixel of x through its tap (r, s), if it exists.
              const Index p = (row + conv.pad_h - r) / conv.stride;
              const Index q = (column + conv.pad_w - s) / conv.stride;
              const bool sees = p * conv.stride - conv.pad_h + r == row &&
                                q * conv.stride - conv.pad_w + s == column;
              if (!sees || !inside(ys, p, q)) continue;
              const float* gradient = at(dy, n, p, q);
              for (Index k = 0; k < ws.n; ++k)
                sum += operand(ctx, gradient[k]) * operand(ctx, at(w, k, r, s)[c]);
            }
          float& value = at(dx, n, row, column)[c];
          value = static_cast<float>(write == Write::accumulate ? value + sum : sum);
        }
}

void conv2d_backward_filter(const Context& ctx, View dw, ConstView dy, ConstView x, Conv2d conv,
                            Write write) {
  const Shape ys = dy.shape, ws = dw.shape;
  for (Index k = 0; k < ws.n; ++k)
    for (Index r = 0; r < ws.h; ++r)
      for (Index s = 0; s < ws.w; ++s)
        for (Index c = 0; c < ws.c; ++c) {
          double sum = 0;
          for (Index n = 0; n < ys.n; ++n)
            for (Index p = 0; p < ys.h; ++p)
              for (Index q = 0; q < ys.w; ++q) {
                const Index row = p * conv.stride - conv.pad_h + r;
                const Index column = q * conv.stride - conv.pad_w + s;
                if (inside(x.shape, row, column))
                  sum += operand(ctx, at(dy, n, p, q)[k]) * operand(ctx, at(x, n, row, column)[c]);
              }
          float& value = at(dw, k, r, s)[c];
          value = static_cast<float>(write == Write::accumulate ? value + sum : sum);
        }
}

}  // namespace twinage::naive
