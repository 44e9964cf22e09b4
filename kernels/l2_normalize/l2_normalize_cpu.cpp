// A batch has some hundred rows of some hundred numbers: a row is one task, its sums are in double.
#include <cmath>

#include "core/parallel.h"
#include "kernels/l2_normalize/l2_normalize.h"

namespace twinage::cpu {
namespace {

double dot(const float* a, const float* b, Index count) {
  double sum = 0;
  for (Index c = 0; c < count; ++c) sum += static_cast<double>(a[c]) * static_cast<double>(b[c]);
  return sum;
}

}  // namespace

void l2_normalize_forward(const Context& ctx, View y, ConstView x, float radius) {
  parallel_for(ctx.threads, x.shape.n, [&](Index n, int) {
    const float* from = x.pixel(n);
    const double norm = std::sqrt(dot(from, from, x.shape.c));
    const auto scale = norm == 0 ? 0.0F : static_cast<float>(static_cast<double>(radius) / norm);
    for (Index c = 0; c < x.shape.c; ++c) y.pixel(n)[c] = scale * from[c];
  });
}

void l2_normalize_backward(const Context& ctx, View dx, ConstView dy, ConstView x, float radius,
                           Write write) {
  const float keep = write == Write::accumulate ? 1.0F : 0.0F;
  parallel_for(ctx.threads, x.shape.n, [&](Index n, int) {
    const float *from = x.pixel(n), *d = dy.pixel(n);
    const double norm = std::sqrt(dot(from, from, x.shape.c));
    const auto scale = norm == 0 ? 0.0F : static_cast<float>(static_cast<double>(radius) / norm);
    const auto along =
        norm == 0 ? 0.0F : static_cast<float>(dot(d, from, x.shape.c) / (norm * norm));
    float* to = dx.pixel(n);
    for (Index c = 0; c < x.shape.c; ++c) {
      const float before = keep == 0 ? 0.0F : to[c];  // it may be anything, NaN too
      to[c] = before + scale * (d[c] - along * from[c]);
    }
  });
}

}  // namespace twinage::cpu
