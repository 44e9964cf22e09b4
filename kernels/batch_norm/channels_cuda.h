// What the kernels of batch norm compute with: moments that merge, and a thread's channels.
#pragma once
#include "kernels/simt/pack.h"

namespace twinage::TWINAGE_GPU_NAMESPACE {

// Mean and sum of squared deviations of `count` values.
template <class Real>
struct Moments {
  Real count, mean, m2;

  // Chan, Golub & LeVeque 1979
  __device__ __forceinline__ void merge(const Moments& more) {
    if (more.count == 0) return;
    const Real share = more.count / (count + more.count), delta = more.mean - mean;
    mean += delta * share;
    m2 += more.m2 + delta * delta * count * share;
    count += more.count;
  }
};

// What the batch and the layer say of every channel, [C] each.
struct Channels {
  const float *mean, *variance, *gamma, *beta;
  float epsilon;
};

// Of the channels that a thread owns. scale = gamma / sqrt(variance + epsilon)
template <int kWidth>
struct Normalise {
  Pack<kWidth> mean, scale, beta;

  __device__ __forceinline__ Normalise(const Channels& per, Index c)
      : mean(load_pack<kWidth>(per.mean + c)),
        scale(load_pack<kWidth>(per.gamma + c)),
        beta(load_pack<kWidth>(per.beta + c)) {
    const auto variance = load_pack<kWidth>(per.variance + c);
#pragma unroll
    for (int i = 0; i < kWidth; ++i) scale.v[i] /= sqrtf(variance.v[i] + per.epsilon);
  }
  // x - mean comes first: scale * x + (beta - scale * mean) would cancel when the mean is large.
  __device__ __forceinline__ float value(float d, int i) const {
    return d * scale.v[i] + beta.v[i];
  }
  // g: dy where ReLU let the value through. d = x - mean.
  template <bool kRelu>
  __device__ __forceinline__ float passed(float dy, float d, int i) const {
    return !kRelu || value(d, i) > 0 ? dy : 0.0F;
  }
};

}  // namespace twinage::TWINAGE_GPU_NAMESPACE
