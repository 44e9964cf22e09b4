// For the first pass of a loss of a whole batch on the device: a block an anchor.
#pragma once
#include "kernels/batch_loss/batch_loss.h"
#include "kernels/simt/simt.h"

namespace twinage::TWINAGE_GPU_NAMESPACE {

constexpr int kAnchorThreads = 128;  // of an anchor's block

// The faces of a batch, as kernels get them.
struct Faces {
  const float *d, *age;  // as gather_pairs has them
  Index count;

  __device__ __forceinline__ float distance(Index a, Index b) const {
    return d[pair_index(count, a, b)];
  }
  __device__ __forceinline__ float gap(Index a, Index b) const { return fabsf(age[a] - age[b]); }
};

// Of numbers of the block's threads, in a fixed order; for thread 0 only.
template <class T, class F>
__device__ __forceinline__ T fold_block(T (&of_thread)[kAnchorThreads], T mine, F fold) {
  const int t = static_cast<int>(threadIdx.x);
  of_thread[t] = mine;
  for (int half = kAnchorThreads / 2; half > 0; half /= 2) {
    __syncthreads();
    if (t < half) of_thread[t] = fold(of_thread[t], of_thread[t + half]);
  }
  return of_thread[t];
}

// The same for all threads; `of_thread` is free again.
template <class T, class F>
__device__ __forceinline__ T fold_for_all(T (&of_thread)[kAnchorThreads], T mine, F fold) {
  fold_block(of_thread, mine, fold);
  __syncthreads();
  const T folded = of_thread[0];
  __syncthreads();
  return folded;
}

struct Plus {
  template <class T>
  __device__ __forceinline__ T operator()(T x, T y) const {
    return x + y;
  }
};
struct Larger {  // a NaN is no largest: whoever then takes exponentials of differences has it
  __device__ __forceinline__ float operator()(float x, float y) const { return fmaxf(x, y); }
};

// log(1 + exp(x)) and its slope, for any x without overflow.
struct Softplus {
  float value, slope;
};
__device__ __forceinline__ Softplus softplus(float x) {
  const float e = expf(-fabsf(x)), inverse = 1 / (1 + e);
  return {(x > 0 ? x : 0.0F) + log1pf(e), x > 0 ? inverse : e * inverse};
}

inline dim3 block_for_each_anchor(Index batch) {
  return dim3(static_cast<unsigned>(batch));
}

}  // namespace twinage::TWINAGE_GPU_NAMESPACE
