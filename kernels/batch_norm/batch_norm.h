// Batch normalisation (Ioffe & Szegedy 2015) over the N*H*W pixels of each channel, with ReLU:
//
//   xhat = (x - mean) / sqrt(variance + epsilon),   y = max(0, gamma * xhat + beta)
//
// Training takes mean and biased variance of the batch; inference the running ones. Every
// per-channel array is [C], contiguous. Views may be channel slices.
#pragma once
#include "core/context.h"
#include "core/view.h"
#include "kernels/backends.h"

namespace twinage {

// torchvision's Inception v3: epsilon 0.001, momentum 0.1 (PyTorch's sense: the share of the new
// value).
struct BatchNorm {
  float epsilon = 0.001F;
  float momentum = 0.1F;
  bool relu = true;
};

Index batch_norm_workspace(const Context& ctx, Shape x);  // floats, for any of these

// Mean and biased variance of x per channel (Welford / Chan merging of blocks in a fixed order); 0
// and 0 when x has no pixels. Convolution can deliver the same for free: ConvEpilogue.
void batch_norm_statistics(const Context& ctx, float* mean, float* variance, ConstView x);

// running = (1 - momentum) * running + momentum * batch; the variance enters with the unbiased
// factor count / (count - 1), as PyTorch's. count: pixels per channel, at least 2.
void batch_norm_update_running(const Context& ctx, float* running_mean, float* running_variance,
                               const float* mean, const float* variance, Index channels,
                               Index count, const BatchNorm& norm);

// y = relu(gamma * xhat + beta) in one pass. y may be x.
void batch_norm_apply(const Context& ctx, View y, ConstView x, const float* mean,
                      const float* variance, const float* gamma, const float* beta,
                      const BatchNorm& norm);

// Gradient of training-mode statistics + apply (+ ReLU): given dy, x and the batch's statistics,
//   g      = dy where gamma * xhat + beta > 0, else 0   (dy itself without ReLU)
//   dbeta += sum g,   dgamma += sum g * xhat
//   dx     = gamma / sqrt(variance + epsilon) * (g - mean(g) - xhat * mean(g * xhat))
// dx is overwritten and may be dy.
void batch_norm_backward(const Context& ctx, View dx, float* dgamma, float* dbeta, ConstView dy,
                         ConstView x, const float* mean, const float* variance, const float* gamma,
                         const float* beta, const BatchNorm& norm);

// The same where a batch is cut into shards (core/shards.h), of which this process may have a few
// only. Statistics of shards, parts[s] = {mean [C], variance [C]} of shard s, merged in the order
// of the shards (Chan et al., in double). x: of the whole batch, whose shard s begins at image
// floor(s N / shards).
void batch_norm_merge(const Context& ctx, float* mean, float* variance, const float* parts,
                      Index shards, Shape x);

// sums = {sum g [C], sum g * xhat [C]} over the pixels of x, a shard. Overwritten.
void batch_norm_sums(const Context& ctx, float* sums, ConstView dy, ConstView x, const float* mean,
                     const float* variance, const float* gamma, const float* beta,
                     const BatchNorm& norm);

// dx of batch_norm_backward, given the sums of all shards, parts[s] of shard s, that are added in
// their order. x: any of the batch's pixels; count: all of them.
void batch_norm_dx(const Context& ctx, View dx, ConstView dy, ConstView x, const float* mean,
                   const float* variance, const float* gamma, const float* beta, const float* parts,
                   Index shards, Index count, const BatchNorm& norm);

// What inference folds into the convolution in front: w' = w * scale[k], bias' = shift[k] with
//   scale = gamma / sqrt(variance + epsilon),  shift = beta - mean * scale.
void batch_norm_fold(const Context& ctx, float* scale, float* shift, const float* mean,
                     const float* variance, const float* gamma, const float* beta, Index channels,
                     const BatchNorm& norm);

TWINAGE_BACKENDS(batch_norm_statistics)
TWINAGE_BACKENDS(batch_norm_update_running)
TWINAGE_BACKENDS(batch_norm_apply)
TWINAGE_BACKENDS(batch_norm_backward)
TWINAGE_BACKENDS(batch_norm_merge)
TWINAGE_BACKENDS(batch_norm_sums)
TWINAGE_BACKENDS(batch_norm_dx)
TWINAGE_BACKENDS(batch_norm_fold)
TWINAGE_DEVICE_BACKENDS(batch_norm_workspace)

}  // namespace twinage
