// Rung 1: one thread an output. Neighbouring threads make neighbouring channels of one pixel.
#include "kernels/conv2d/rungs/layer_cuda.h"

namespace twinage::TWINAGE_GPU_NAMESPACE {
namespace {

constexpr int kThreads = 256;

__global__ void __launch_bounds__(kThreads)
    convolve(float* y, const float* x, const float* w, Layer layer) {
  // 1. choose the output
  const int i = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  const int m = i / layer.K, k = i % layer.K;
  if (m >= layer.M) return;
  float sum = 0;
  for (int tap = 0; tap < layer.taps(); ++tap) {
    // 2. load
    const float* a = layer.patch(x, m, tap);
    const float* b = layer.weight(w, k, tap);
    if (a == nullptr) continue;
    // 3. multiply
    for (int c = 0; c < layer.C; ++c) sum += a[c] * b[c];
  }
  // 4. store
  y[Index{m} * layer.K + k] = sum;
}

}  // namespace

void conv2d_rung1(const Context& ctx, View y, ConstView x, ConstView w, Conv2d conv) {
  const Layer layer = layer_of(y, x, w, conv);
  const Index blocks = ceil_div(y.shape.size(), kThreads);
  gpu::launch(ctx, "conv2d_rung1", convolve, dim3(static_cast<unsigned>(blocks)), dim3(kThreads), 0,
              y.data, x.data, w.data, layer);
}

}  // namespace twinage::TWINAGE_GPU_NAMESPACE
