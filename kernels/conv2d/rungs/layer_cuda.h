// What all rungs know of a layer, as a product of matrices:
//
//   y[m][k] = sum over taps and c of patch(m, tap)[c] * weight(k, tap)[c]
//
// where m counts the pixels of y, and the taps of a filter are r * S + s.
#pragma once
#include "kernels/conv2d/rungs/rungs.h"
#include "kernels/simt/simt.h"

namespace twinage::TWINAGE_GPU_NAMESPACE {

constexpr int BK = 16;  // terms of a slab: 16 channels of one tap

struct Layer {
  int H, W, C, K, R, S, P, Q, stride, pad_h, pad_w;
  int M;  // N * P * Q

  __device__ int taps() const { return R * S; }
  __device__ int terms() const { return R * S * C; }

  // The channels of x that pixel m of y sees under a tap. Null outside of the picture, and for a
  // pixel beyond the last.
  __device__ const float* patch(const float* x, int m, int tap) const {
    if (m >= M) return nullptr;
    const int n = m / (P * Q), p = m / Q % P, q = m % Q;
    const int row = p * stride - pad_h + tap / S, column = q * stride - pad_w + tap % S;
    if (row < 0 || row >= H || column < 0 || column >= W) return nullptr;
    return x + ((Index{n} * H + row) * W + column) * C;
  }
  // Filter k's weights of a tap. Null for a filter beyond the last.
  __device__ const float* weight(const float* w, int k, int tap) const {
    return k < K ? w + (Index{k} * taps() + tap) * C : nullptr;
  }
};

inline Layer layer_of(ConstView y, ConstView x, ConstView w, Conv2d conv) {
  const auto size = [](Index i) { return static_cast<int>(i); };
  return {size(x.shape.h),   size(x.shape.w),  size(x.shape.c),  size(w.shape.n),
          size(w.shape.h),   size(w.shape.w),  size(y.shape.h),  size(y.shape.w),
          size(conv.stride), size(conv.pad_h), size(conv.pad_w), size(y.shape.pixels())};
}

// Blocks of a grid that covers M x K outputs with tiles.
inline dim3 tiles_of(const Layer& layer, int BM, int BN) {
  return dim3(static_cast<unsigned>(ceil_div(layer.M, BM)),
              static_cast<unsigned>(ceil_div(layer.K, BN)));
}

// Channel c, or four channels from c on; zeros where there are none.
__device__ inline float one_of(const float* channels, int c) {
  return channels != nullptr ? channels[c] : 0;
}
__device__ inline float4 four_of(const float* channels, int c) {
  return channels != nullptr ? gpu::load<float4>(channels + c) : make_float4(0, 0, 0, 0);
}
// Starts their copy to shared memory.
__device__ inline void fetch_four(float* to, const float* channels, int c) {
  if (channels != nullptr)
    __pipeline_memcpy_async(to, channels + c, 16);
  else
    gpu::store(to, make_float4(0, 0, 0, 0));
}

}  // namespace twinage::TWINAGE_GPU_NAMESPACE
