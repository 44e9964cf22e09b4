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

// Sums of g and of g * (x - mean) over all pixels: finish(channel, sum_g, sum_gd) of each channel.
template <class F>
void sums_over_pixels(const Context& ctx, ConstView dy, ConstView x, const BatchNormChannels& per,
                      F finish) {
  const Index channels = x.shape.c, blocks = block_count(x.shape);
  WorkspaceScope scope(ctx.workspace);
  float* partial = scope.floats(2 * blocks * channels);  // [block][2][channels]
  // 1. over every block
  for_blocks(ctx, x.shape, [&](Index first, Index pixels, Index block) {
    float* sum_g = partial + 2 * block * channels;
    kernels().sums(sum_g, sum_g + channels, dy.pixel(first), dy.ld, x.pixel(first), x.ld, pixels,
                   channels, per);
  });
  // 2. add the blocks up
  for_channel_groups(ctx, channels, [&](Index first, Index group) {
    double sum_g[kChannelGroup] = {}, sum_gd[kChannelGroup] = {};
    for (Index block = 0; block < blocks; ++block) {
      const float* row = partial + 2 * block * channels + first;
      for (Index c = 0; c < group; ++c) {
        sum_g[c] += static_cast<double>(row[c]);
        sum_gd[c] += static_cast<double>(row[channels + c]);
      }
    }
    for (Index c = 0; c < group; ++c) finish(first + c, sum_g[c], sum_gd[c]);
  });
}

// dx, once the means of g and g * xhat are known.
void dx_of_means(const Context& ctx, View dx, ConstView dy, ConstView x,
                 const BatchNormChannels& per) {
  for_blocks(ctx, x.shape, [&](Index first, Index pixels, Index) {
    kernels().dx(dx.pixel(first), dx.ld, dy.pixel(first), dy.ld, x.pixel(first), x.ld, pixels,
                 x.shape.c, per);
  });
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
  const Index channels = x.shape.c;
  WorkspaceScope scope(ctx.workspace);
  float* scale = scope.floats(channels);
  float* mean_g = scope.floats(channels);
  float* slope = scope.floats(channels);
  scale_of_channels(scale, gamma, variance, channels, norm);
  const BatchNormChannels per{mean, scale, beta, mean_g, slope, norm.relu};
  // 1. and 2. the sums; the gradients of gamma and beta
  const auto count = static_cast<double>(x.shape.pixels());
  sums_over_pixels(ctx, dy, x, per, [&](Index k, double sum_g, double sum_gd) {
    const double inverse = inverse_deviation(variance[k], norm);
    const double sum_g_xhat = sum_gd * inverse;
    dbeta[k] = static_cast<float>(dbeta[k] + sum_g);
    dgamma[k] = static_cast<float>(dgamma[k] + sum_g_xhat);
    mean_g[k] = static_cast<float>(sum_g / count);
    slope[k] = static_cast<float>(sum_g_xhat / count * inverse);
  });
  // 3. dx
  dx_of_means(ctx, dx, dy, x, per);
}

void batch_norm_merge(const Context&, float* mean, float* variance, const float* parts,
                      Index shards, Shape x) {
  const auto pixels = [&](Index s) {
    return static_cast<double>(((s + 1) * x.n / shards - s * x.n / shards) * x.h * x.w);
  };
  for (Index c = 0; c < x.c; ++c) {
    double have = 0, m = 0, m2 = 0;
    for (Index s = 0; s < shards; ++s) {
      const double more = pixels(s), share = more / (have + more);
      const double delta = parts[2 * s * x.c + c] - m;
      m += delta * share;
      m2 += parts[(2 * s + 1) * x.c + c] * more + delta * delta * have * share;
      have += more;
    }
    mean[c] = static_cast<float>(m);
    variance[c] = static_cast<float>(m2 / have);
  }
}

void batch_norm_sums(const Context& ctx, float* sums, ConstView dy, ConstView x, const float* mean,
                     const float* variance, const float* gamma, const float* beta,
                     const BatchNorm& norm) {
  const Index channels = x.shape.c;
  WorkspaceScope scope(ctx.workspace);
  float* scale = scope.floats(channels);
  scale_of_channels(scale, gamma, variance, channels, norm);
  const BatchNormChannels per{.mean = mean, .scale = scale, .beta = beta, .relu = norm.relu};
  sums_over_pixels(ctx, dy, x, per, [&](Index k, double sum_g, double sum_gd) {
    sums[k] = static_cast<float>(sum_g);
    sums[channels + k] = static_cast<float>(sum_gd * inverse_deviation(variance[k], norm));
  });
}

void batch_norm_dx(const Context& ctx, View dx, ConstView dy, ConstView x, const float* mean,
                   const float* variance, const float* gamma, const float* beta, const float* parts,
                   Index shards, Index count, const BatchNorm& norm) {
  const Index channels = x.shape.c;
  WorkspaceScope scope(ctx.workspace);
  float* scale = scope.floats(channels);
  float* mean_g = scope.floats(channels);
  float* slope = scope.floats(channels);
  scale_of_channels(scale, gamma, variance, channels, norm);
  for (Index c = 0; c < channels; ++c) {
    double sum_g = 0, sum_g_xhat = 0;
    for (Index s = 0; s < shards; ++s) {
      sum_g += parts[2 * s * channels + c];
      sum_g_xhat += parts[(2 * s + 1) * channels + c];
    }
    const auto all = static_cast<double>(count);
    mean_g[c] = static_cast<float>(sum_g / all);
    slope[c] = static_cast<float>(sum_g_xhat / all * inverse_deviation(variance[c], norm));
  }
  dx_of_means(ctx, dx, dy, x, {mean, scale, beta, mean_g, slope, norm.relu});
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
