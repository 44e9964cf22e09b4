// A thread a row: twenty-one numbers, all in registers.
#include "kernels/simt/simt.h"
#include "kernels/soft_stagewise/soft_stagewise.h"

namespace twinage::TWINAGE_GPU_NAMESPACE {
namespace {

constexpr int kThreads = 64;
constexpr int kBins = static_cast<int>(kStageBins), kOfStage = 2 * kBins + 1;

struct Row {
  float p[kStages][kBins], h[kStages][kBins];
  float scale[kStages], mean[kStages], width[kStages];  // D_k, m_k, S_k
};

__device__ __forceinline__ void read_row(Row& row, const float* x) {
  float product = 1;
#pragma unroll
  for (int k = 0; k < kStages; ++k) {
    const float *l = x + k * kOfStage, *e = l + kBins;
    // fmaxf leaves a NaN out; it shows in the sum.
    float largest = l[0], sum = 0;
#pragma unroll
    for (int i = 1; i < kBins; ++i) largest = fmaxf(largest, l[i]);
#pragma unroll
    for (int i = 0; i < kBins; ++i) {
      row.p[k][i] = expf(l[i] - largest);
      sum += row.p[k][i];
    }
    row.mean[k] = 0;
#pragma unroll
    for (int i = 0; i < kBins; ++i) {
      row.p[k][i] /= sum;
      row.h[k][i] = tanhf(e[i]);
      row.mean[k] += row.p[k][i] * (static_cast<float>(i) + row.h[k][i]);
    }
    row.scale[k] = tanhf(e[kBins]) / 2;
    product *= static_cast<float>(kBins) * (1 + row.scale[k]);
    row.width[k] = product;
  }
}

__global__ void __launch_bounds__(kThreads) forward_rows(View y, ConstView x, float range) {
  const Index n = static_cast<Index>(blockIdx.x) * kThreads + threadIdx.x;
  if (n >= x.shape.n) return;
  Row row;
  read_row(row, x.pixel(n));
  float sum = 0;
#pragma unroll
  for (int k = static_cast<int>(kStages) - 1; k >= 0; --k) sum += row.mean[k] / row.width[k];
  y.pixel(n)[0] = range * sum;
}

__device__ __forceinline__ void put(float* to, float value, bool accumulate) {
  *to = accumulate ? *to + value : value;
}

__global__ void __launch_bounds__(kThreads)
    backward_rows(View dx, ConstView dy, ConstView x, float range, bool accumulate) {
  const Index n = static_cast<Index>(blockIdx.x) * kThreads + threadIdx.x;
  if (n >= x.shape.n) return;
  Row row;
  read_row(row, x.pixel(n));
  const float g = dy.pixel(n)[0] * range;
  float beyond = 0;
#pragma unroll
  for (int k = static_cast<int>(kStages) - 1; k >= 0; --k) {
    float* to = dx.pixel(n) + k * kOfStage;
    const float of_bins = g / row.width[k], scale = row.scale[k];
#pragma unroll
    for (int i = 0; i < kBins; ++i) {
      const float h = row.h[k][i];
      put(to + i, of_bins * row.p[k][i] * (static_cast<float>(i) + h - row.mean[k]), accumulate);
      put(to + kBins + i, of_bins * row.p[k][i] * (1 - h * h), accumulate);
    }
    beyond += row.mean[k] / row.width[k];
    put(to + 2 * kBins, -g * beyond / (1 + scale) * (1 - 4 * scale * scale) / 2, accumulate);
  }
}

dim3 blocks_of(Index rows) {
  return dim3(static_cast<unsigned>(ceil_div(rows, kThreads)));
}

}  // namespace

void soft_stagewise_forward(const Context& ctx, View y, ConstView x, float range) {
  if (x.shape.n == 0) return;
  gpu::launch(ctx, "soft_stagewise_forward", forward_rows, blocks_of(x.shape.n), dim3(kThreads), 0,
              y, x, range);
}

void soft_stagewise_backward(const Context& ctx, View dx, ConstView dy, ConstView x, float range,
                             Write write) {
  if (x.shape.n == 0) return;
  gpu::launch(ctx, "soft_stagewise_backward", backward_rows, blocks_of(x.shape.n), dim3(kThreads),
              0, dx, dy, x, range, write == Write::accumulate);
}

}  // namespace twinage::TWINAGE_GPU_NAMESPACE
