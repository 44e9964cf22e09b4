// Pixels are cut into fixed blocks, whatever the number of threads. A block gives two partial sums
// per channel in float32; the blocks are combined in their order in double.
#include <algorithm>
#include <cmath>

#include "core/isa.h"
#include "core/parallel.h"
#include "kernels/batch_norm/batch_norm.h"
#include "kernels/batch_norm/batch_norm_isa.h"

namespace twinage::cpu {
namespace {

constexpr Index kChannelGroup = 64;  // channels of a task that combines partial sums

const BatchNormKernels& kernels() {
  return pick_isa(baseline::kBatchNorm, avx2::kBatchNorm, avx512::kBatchNorm);
}

// Pixels of a block: about 64 kB, so that a second look finds them in the cache; few enough that a
// float32 sum over them is accurate, enough that the partial sums are little against them.
Index block_pixels(Index channels) {
  return std::clamp<Index>(16384 / channels, 64, 256);
}

Index block_count(Shape x) {
  return ceil_div(x.pixels(), block_pixels(x.c));
}

// Calls f(first pixel, pixels, block) for every block.
template <class F>
void for_blocks(const Context& ctx, Shape x, F f) {
  const Index step = block_pixels(x.c);
  parallel_for(ctx.threads, block_count(x), [&](Index block, int) {
    const Index first = block * step;
    f(first, std::min(step, x.pixels() - first), block);
  });
}

// Calls f(first channel, channels) for groups of channels.
template <class F>
void for_channel_groups(const Context& ctx, Index channels, F f) {
  parallel_for(ctx.threads, ceil_div(channels, kChannelGroup), [&](Index group, int) {
    const Index first = group * kChannelGroup;
    f(first, std::min(kChannelGroup, channels - first));
  });
}

double inverse_deviation(float variance, const BatchNorm& norm) {
  return 1 / std::sqrt(static_cast<double>(variance) + static_cast<double>(norm.epsilon));
}

void scale_of_channels(float* scale, const float* gamma, const float* variance, Index channels,
                       const BatchNorm& norm) {
  for (Index c = 0; c < channels; ++c)
    scale[c] = static_cast<float>(gamma[c] * inverse_deviation(variance[c], norm));
}

}  // namespace

Index batch_norm_workspace(const Context&, Shape x) {
  return 3 * workspace_floats(x.c) + workspace_floats(2 * block_count(x) * x.c);
}

void batch_norm_statistics(const Context& ctx, float* mean, float* variance, ConstView x) {
  const Index channels = x.shape.c;
  WorkspaceScope scope(ctx.workspace);
  // 1. mean (from the first pixel) and M2 of every block: partial[block][2][channels]
  float* partial = scope.floats(2 * block_count(x.shape) * channels);
  const float* origin = x.data;
  for_blocks(ctx, x.shape, [&](Index first, Index pixels, Index block) {
    float* offset = partial + 2 * block * channels;
    kernels().moments(offset, offset + channels, x.pixel(first), x.ld, origin, pixels, channels);
  });
  // 2. merge the blocks (Chan, Golub & LeVeque 1979)
  const Index total = x.shape.pixels(), step = block_pixels(channels);
  for_channel_groups(ctx, channels, [&](Index first, Index group) {
    double m[kChannelGroup] = {}, m2[kChannelGroup] = {};
    for (Index before = 0, block = 0; before < total; before += step, ++block) {
      const auto have = static_cast<double>(before);
      const auto more = static_cast<double>(std::min(step, total - before));
      const double share = more / (have + more);
      const float* block_offset = partial + 2 * block * channels + first;
      const float* block_m2 = block_offset + channels;
      for (Index c = 0; c < group; ++c) {
        const double delta = block_offset[c] - m[c];
        m[c] += delta * share;
        m2[c] += block_m2[c] + delta * delta * have * share;
      }
    }
    for (Index c = 0; c < group; ++c) {
      const bool any = total > 0;  // no pixels: mean and variance are 0
      mean[first + c] = static_cast<float>(any ? origin[first + c] + m[c] : 0);
      variance[first + c] = static_cast<float>(any ? m2[c] / static_cast<double>(total) : 0);
    }
  });
}

void batch_norm_update_running(const Context&, float* running_mean, float* running_variance,
                               const float* mean, const float* variance, Index channels,
                               Index count, const BatchNorm& norm) {
  const float share = norm.momentum;
  const auto unbiased =
      static_cast<float>(static_cast<double>(count) / static_cast<double>(count - 1));
  for (Index c = 0; c < channels; ++c) {
    running_mean[c] += share * (mean[c] - running_mean[c]);
    running_variance[c] += share * (variance[c] * unbiased - running_variance[c]);
  }
}

void batch_norm_apply(const Context& ctx, View y, ConstView x, const float* mean,
                      const float* variance, const float* gamma, const float* beta,
                      const BatchNorm& norm) {
  const Index channels = x.shape.c;
  WorkspaceScope scope(ctx.workspace);
  float* scale = scope.floats(channels);
  scale_of_channels(scale, gamma, variance, channels, norm);
  const BatchNormChannels per{.mean = mean, .scale = scale, .beta = beta, .relu = norm.relu};
  for_blocks(ctx, x.shape, [&](Index first, Index pixels, Index) {
    kernels().apply(y.pixel(first), y.ld, x.pixel(first), x.ld, pixels, channels, per);
  });
}

void batch_norm_backward(const Context& ctx, View dx, float* dgamma, float* dbeta, ConstView dy,
                         ConstView x, const float* mean, const float* variance, const float* gamma,
                         const float* beta, const BatchNorm& norm) {
  const Index channels = x.shape.c, blocks = block_count(x.shape);
  WorkspaceScope scope(ctx.workspace);
  float* scale = scope.floats(channels);
  float* mean_g = scope.floats(channels);
  float* slope = scope.floats(channels);
  float* partial = scope.floats(2 * blocks * channels);  // [block][2][channels]
  scale_of_channels(scale, gamma, variance, channels, norm);
  const BatchNormChannels per{mean, scale, beta, mean_g, slope, norm.relu};
  // 1. sums of g and g * (x - mean) over every block
  for_blocks(ctx, x.shape, [&](Index first, Index pixels, Index block) {
    float* sum_g = partial + 2 * block * channels;
    kernels().sums(sum_g, sum_g + channels, dy.pixel(first), dy.ld, x.pixel(first), x.ld, pixels,
                   channels, per);
  });
  // 2. add the blocks up; the gradients of gamma and beta
  const auto count = static_cast<double>(x.shape.pixels());
  for_channel_groups(ctx, channels, [&](Index first, Index group) {
    double sum_g[kChannelGroup] = {}, sum_gd[kChannelGroup] = {};
    for (Index block = 0; block < blocks; ++block) {
      const float* row = partial + 2 * block * channels + first;
      for (Index c = 0; c < group; ++c) {
        sum_g[c] += static_cast<double>(row[c]);
        sum_gd[c] += static_cast<double>(row[channels + c]);
      }
    }
    for (Index c = 0; c < group; ++c) {
      const Index k = first + c;
      const double inverse = inverse_deviation(variance[k], norm);
      const double sum_g_xhat = sum_gd[c] * inverse;
      dbeta[k] = static_cast<float>(dbeta[k] + sum_g[c]);
      dgamma[k] = static_cast<float>(dgamma[k] + sum_g_xhat);
      mean_g[k] = static_cast<float>(sum_g[c] / count);
      slope[k] = static_cast<float>(sum_g_xhat / count * inverse);
    }
  });
  // 3. dx
  for_blocks(ctx, x.shape, [&](Index first, Index pixels, Index) {
    kernels().dx(dx.pixel(first), dx.ld, dy.pixel(first), dy.ld, x.pixel(first), x.ld, pixels,
                 channels, per);
  });
}

void batch_norm_fold(const Context&, float* scale, float* shift, const float* mean,
                     const float* variance, const float* gamma, const float* beta, Index channels,
                     const BatchNorm& norm) {
  for (Index c = 0; c < channels; ++c) {
    const double s = gamma[c] * inverse_deviation(variance[c], norm);
    scale[c] = static_cast<float>(s);
    shift[c] = static_cast<float>(beta[c] - mean[c] * s);
  }
}

}  // namespace twinage::cpu
