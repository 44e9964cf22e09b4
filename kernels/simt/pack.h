// For kernels that walk a view in NHWC: a thread owns kWidth neighbouring channels and goes down
// the pixels. kWidth is 4 where pitch, channels and alignment allow accesses of 16 bytes, else 1:
//
//   const int width = in_fours(y) && in_fours(x) ? 4 : 1;
//   const Walk walk = walk_over(y.shape, width);
//   gpu::launch(ctx, "add", width == 4 ? add_to<4> : add_to<1>, walk.grid, walk.block, 0, y, x);
#pragma once
#include <algorithm>
#include <cstdint>

#include "core/view.h"
#include "kernels/simt/simt.h"

namespace twinage::TWINAGE_GPU_NAMESPACE {

template <int kWidth>
struct Pack {
  static_assert(kWidth == 1 || kWidth == 4, "one access of 4 or of 16 bytes");
  float v[kWidth];
};

template <int kWidth>
__device__ __forceinline__ Pack<kWidth> load_pack(const float* p) {
  if constexpr (kWidth == 4) {
    const float4 q = gpu::load<float4>(p);
    return {{q.x, q.y, q.z, q.w}};
  } else {
    return {{*p}};
  }
}

template <int kWidth>
__device__ __forceinline__ void store_pack(float* p, const Pack<kWidth>& pack) {
  if constexpr (kWidth == 4)
    gpu::store(p, make_float4(pack.v[0], pack.v[1], pack.v[2], pack.v[3]));
  else
    *p = pack.v[0];
}

template <int kWidth>
__device__ __forceinline__ Pack<kWidth> pack_of(float value) {
  Pack<kWidth> pack;
#pragma unroll
  for (int i = 0; i < kWidth; ++i) pack.v[i] = value;
  return pack;
}

// Whether every pixel's channels, or an array of a number for each channel, can be read in fours.
inline bool in_fours(const float* p) {
  return reinterpret_cast<std::uintptr_t>(p) % sizeof(float4) == 0;
}
inline bool in_fours(ConstView v) {
  return v.shape.c % 4 == 0 && v.ld % 4 == 0 && in_fours(v.data);
}

// Threads over a view: threadIdx.x along the channels, so that neighbours read neighbours;
// threadIdx.y and blockIdx.y along the pixels.
struct Walk {
  dim3 grid, block;
};
constexpr int kWalkThreads = 256;  // of a block

// Lanes along the channels: a power of two, a warp at most unless there are few pixels.
inline Index walk_lanes(Index packs, Index pixels) {
  const Index most = pixels < 8 ? kWalkThreads : 32;
  Index lanes = 1;
  while (lanes < packs && lanes < most) lanes *= 2;
  return lanes;
}

// For a view that is not empty.
inline Walk walk_over(Shape shape, int width) {
  constexpr Index kPixelsOfThread = 4, kMostBlocks = 65535;
  const Index packs = shape.c / width, lanes = walk_lanes(packs, shape.pixels());
  const Index rows = kWalkThreads / lanes;
  const Index blocks = std::min(ceil_div(shape.pixels(), rows * kPixelsOfThread), kMostBlocks);
  return {dim3(static_cast<unsigned>(ceil_div(packs, lanes)), static_cast<unsigned>(blocks)),
          dim3(static_cast<unsigned>(lanes), static_cast<unsigned>(rows))};
}

// Calls f(pixel, first channel) for the packs that are this thread's.
template <int kWidth, class F>
__device__ __forceinline__ void for_packs(Shape shape, F f) {
  const Index c = (static_cast<Index>(blockIdx.x) * blockDim.x + threadIdx.x) * kWidth;
  if (c >= shape.c) return;
  const Index step = static_cast<Index>(gridDim.y) * blockDim.y;
  for (Index p = static_cast<Index>(blockIdx.y) * blockDim.y + threadIdx.y; p < shape.pixels();
       p += step)
    f(p, c);
}

}  // namespace twinage::TWINAGE_GPU_NAMESPACE
