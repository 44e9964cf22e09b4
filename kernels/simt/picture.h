// For kernels whose thread owns kWidth neighbouring channels of an output pixel and looks at pixels
// around it in another picture: windows of pools and of depthwise convolutions.
#pragma once
#include <algorithm>

#include "kernels/simt/pack.h"

namespace twinage::TWINAGE_GPU_NAMESPACE {

// Threads over an output that is not empty: threadIdx.x along the channels, threadIdx.y along the
// columns of one row (blockIdx.y) of an image (blockIdx.z).
inline Walk walk_rows(Shape shape, int width) {
  const Index packs = shape.c / width, lanes = walk_lanes(packs, shape.w);
  return {dim3(static_cast<unsigned>(ceil_div(packs, lanes)), static_cast<unsigned>(shape.h),
               static_cast<unsigned>(std::min<Index>(shape.n, 65535))),
          dim3(static_cast<unsigned>(lanes), static_cast<unsigned>(kWalkThreads / lanes))};
}

// One picture of a batch; its extents in 32 bits, which save a GPU many instructions.
template <class Float>
struct Picture {
  Float* data;
  int H, W;
  Index ld;

  template <class AnyView>
  __device__ __forceinline__ Picture(const AnyView& x, Index n)
      : data(x.pixel(n * x.shape.h * x.shape.w)),
        H(static_cast<int>(x.shape.h)),
        W(static_cast<int>(x.shape.w)),
        ld(x.ld) {}
  __device__ __forceinline__ Float* at(int h, int w, int c) const {
    return data + (h * W + w) * ld + c;
  }
};
using In = Picture<const float>;
using Out = Picture<float>;

// Calls f(n, h, w, first channel) for the packs that are this thread's.
template <int kWidth, class F>
__device__ __forceinline__ void for_row_packs(Shape shape, F f) {
  const int c = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x) * kWidth;
  if (c >= shape.c) return;
  const int h = static_cast<int>(blockIdx.y), W = static_cast<int>(shape.w);
  for (Index n = blockIdx.z; n < shape.n; n += gridDim.z)
    for (int w = static_cast<int>(threadIdx.y); w < W; w += static_cast<int>(blockDim.y))
      f(n, h, w, c);
}

}  // namespace twinage::TWINAGE_GPU_NAMESPACE
