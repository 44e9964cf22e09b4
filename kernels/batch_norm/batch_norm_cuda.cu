// Statistics and gradients are sums over pixels, in two steps of a fixed order: a block of threads
// sums kLanes channels over a range of pixels in float32; then one block for each kLanes channels
// merges the ranges in double. No atomics: the same bits every run.
#include "kernels/batch_norm/batch_norm.h"
#include "kernels/batch_norm/channels_cuda.h"
#include "kernels/simt/pack.h"

namespace twinage::TWINAGE_GPU_NAMESPACE {
namespace {

constexpr int kLanes = 32;      // channels of a block: a warp reads 128 bytes of a pixel
constexpr int kRows = 8;        // pixels that a block reads side by side
constexpr int kAhead = 8;       // pixels of a thread that are on their way at a time
constexpr int kMergeRows = 16;  // ranges that a merging block reads side by side
constexpr int kThreads = kLanes * kRows, kMergeThreads = kLanes * kMergeRows;

// Pixels of a range: few enough that float32 sums over them are accurate, and at most 512 ranges.
Index range_pixels(Shape x) {
  constexpr Index kWhole = kRows * kAhead;
  return std::max<Index>(4 * kWhole, round_up(ceil_div(x.pixels(), 512), kWhole));
}

Index range_count(Shape x) {
  return ceil_div(x.pixels(), range_pixels(x));
}

unsigned channel_groups(Index channels) {
  return static_cast<unsigned>(ceil_div(channels, kLanes));
}

// 1. mean (from the first pixel) and M2 of every range: partial[range][2][channels]
__global__ void __launch_bounds__(kThreads)
    moments_of_ranges(float* partial, ConstView x, Index range) {
  GPU_SHARED(Moments<float>, of_row, [kRows][kLanes]);
  const Index channels = x.shape.c, c = static_cast<Index>(blockIdx.x) * kLanes + threadIdx.x;
  const Index first = blockIdx.y * range, end = std::min(first + range, x.shape.pixels());
  Moments<float> mine{0, 0, 0};
  if (c < channels) {
    const float origin = x.data[c];
    Index p = first + threadIdx.y;
    for (; p + (kAhead - 1) * kRows < end; p += kAhead * kRows) {
      float offset[kAhead], sum = 0, m2 = 0;
#pragma unroll
      for (int i = 0; i < kAhead; ++i) offset[i] = x.pixel(p + i * kRows)[c] - origin;
#pragma unroll
      for (int i = 0; i < kAhead; ++i) sum += offset[i];
      const float mean = sum / kAhead;
#pragma unroll
      for (int i = 0; i < kAhead; ++i) m2 += (offset[i] - mean) * (offset[i] - mean);
      mine.merge({kAhead, mean, m2});
    }
    for (; p < end; p += kRows) mine.merge({1, x.pixel(p)[c] - origin, 0});
  }
  of_row[threadIdx.y][threadIdx.x] = mine;
  __syncthreads();
  if (threadIdx.y > 0 || c >= channels) return;
  for (int row = 1; row < kRows; ++row) mine.merge(of_row[row][threadIdx.x]);
  float* offset = partial + 2 * blockIdx.y * channels;
  offset[c] = mine.mean;
  offset[channels + c] = mine.m2;
}

// 2. merge the ranges
__global__ void __launch_bounds__(kMergeThreads)
    merge_moments(float* mean, float* variance, const float* partial, ConstView x, Index range) {
  GPU_SHARED(Moments<double>, of_row, [kMergeRows][kLanes]);
  const Index channels = x.shape.c, c = static_cast<Index>(blockIdx.x) * kLanes + threadIdx.x;
  const Index total = x.shape.pixels();
  Moments<double> mine{0, 0, 0};
  if (c < channels)
    for (Index k = threadIdx.y; k * range < total; k += kMergeRows) {
      const float* offset = partial + 2 * k * channels;
      const auto count = static_cast<double>(std::min(range, total - k * range));
      mine.merge({count, offset[c], offset[channels + c]});
    }
  of_row[threadIdx.y][threadIdx.x] = mine;
  __syncthreads();
  if (threadIdx.y > 0 || c >= channels) return;
  for (int row = 1; row < kMergeRows; ++row) mine.merge(of_row[row][threadIdx.x]);
  const bool any = total > 0;  // no pixels: mean and variance are 0
  mean[c] = static_cast<float>(any ? x.data[c] + mine.mean : 0);
  variance[c] = static_cast<float>(any ? mine.m2 / mine.count : 0);
}

template <int kWidth, bool kRelu>
__global__ void __launch_bounds__(kWalkThreads) apply(View y, ConstView x, Channels per) {
  const Index mine = (static_cast<Index>(blockIdx.x) * blockDim.x + threadIdx.x) * kWidth;
  if (mine >= x.shape.c) return;
  const Normalise<kWidth> of(per, mine);
  for_packs<kWidth>(x.shape, [&](Index p, Index c) {
    auto pack = load_pack<kWidth>(x.pixel(p) + c);
#pragma unroll
    for (int i = 0; i < kWidth; ++i) {
      const float value = of.value(pack.v[i] - of.mean.v[i], i);
      pack.v[i] = kRelu && value < 0 ? 0.0F : value;  // in this way NaN stays NaN
    }
    store_pack(y.pixel(p) + c, pack);
  });
}

// 1. sums of g and g * (x - mean) over every range: partial[range][2][channels]
template <bool kRelu>
__global__ void __launch_bounds__(kThreads)
    sums_of_ranges(float* partial, ConstView dy, ConstView x, Channels per, Index range) {
  GPU_SHARED(float, row_g, [kRows][kLanes]);
  GPU_SHARED(float, row_gd, [kRows][kLanes]);
  const Index channels = x.shape.c, c = static_cast<Index>(blockIdx.x) * kLanes + threadIdx.x;
  const Index first = blockIdx.y * range, end = std::min(first + range, x.shape.pixels());
  float sum_g = 0, sum_gd = 0;
  if (c < channels) {
    const Normalise<1> of(per, c);
#pragma unroll 4
    for (Index p = first + threadIdx.y; p < end; p += kRows) {
      const float d = x.pixel(p)[c] - of.mean.v[0];
      const float g = of.template passed<kRelu>(dy.pixel(p)[c], d, 0);
      sum_g += g;
      sum_gd += g * d;
    }
  }
  row_g[threadIdx.y][threadIdx.x] = sum_g;
  row_gd[threadIdx.y][threadIdx.x] = sum_gd;
  __syncthreads();
  if (threadIdx.y > 0 || c >= channels) return;
  for (int row = 1; row < kRows; ++row) {
    sum_g += row_g[row][threadIdx.x];
    sum_gd += row_gd[row][threadIdx.x];
  }
  float* to = partial + 2 * blockIdx.y * channels;
  to[c] = sum_g;
  to[channels + c] = sum_gd;
}

// 2. add the ranges up; the gradients of gamma and beta. mean_g: mean of g over all pixels; slope:
// mean(g * xhat) / sqrt(variance + epsilon).
__global__ void __launch_bounds__(kMergeThreads)
    merge_sums(float* mean_g, float* slope, float* dgamma, float* dbeta, const float* partial,
               Index ranges, Shape x, const float* variance, float epsilon) {
  GPU_SHARED(double, row_g, [kMergeRows][kLanes]);
  GPU_SHARED(double, row_gd, [kMergeRows][kLanes]);
  const Index channels = x.c, c = static_cast<Index>(blockIdx.x) * kLanes + threadIdx.x;
  double sum_g = 0, sum_gd = 0;
  if (c < channels)
    for (Index k = threadIdx.y; k < ranges; k += kMergeRows) {
      const float* from = partial + 2 * k * channels;
      sum_g += from[c];
      sum_gd += from[channels + c];
    }
  row_g[threadIdx.y][threadIdx.x] = sum_g;
  row_gd[threadIdx.y][threadIdx.x] = sum_gd;
  __syncthreads();
  if (threadIdx.y > 0 || c >= channels) return;
  for (int row = 1; row < kMergeRows; ++row) {
    sum_g += row_g[row][threadIdx.x];
    sum_gd += row_gd[row][threadIdx.x];
  }
  const auto count = static_cast<double>(x.pixels());
  const double inverse = 1 / sqrt(static_cast<double>(variance[c]) + epsilon);
  const double sum_g_xhat = sum_gd * inverse;
  dbeta[c] = static_cast<float>(dbeta[c] + sum_g);
  dgamma[c] = static_cast<float>(dgamma[c] + sum_g_xhat);
  mean_g[c] = static_cast<float>(sum_g / count);
  slope[c] = static_cast<float>(sum_g_xhat / count * inverse);
}

// The same of one shard, without the gradients.
__global__ void __launch_bounds__(kWalkThreads)
    merge_shard_sums(float* sums, const float* partial, Index ranges, Shape x,
                     const float* variance, float epsilon) {
  const Index channels = x.c, c = static_cast<Index>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (c >= channels) return;
  double sum_g = 0, sum_gd = 0;
  for (Index k = 0; k < ranges; ++k) {
    sum_g += partial[2 * k * channels + c];
    sum_gd += partial[(2 * k + 1) * channels + c];
  }
  sums[c] = static_cast<float>(sum_g);
  sums[channels + c] =
      static_cast<float>(sum_gd / sqrt(static_cast<double>(variance[c]) + epsilon));
}

// And the means over the batch of the sums of all shards, in their order.
__global__ void __launch_bounds__(kWalkThreads)
    means_of_shards(float* mean_g, float* slope, const float* parts, Index shards, Index channels,
                    const float* variance, float epsilon, double count) {
  const Index c = static_cast<Index>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (c >= channels) return;
  double sum_g = 0, sum_g_xhat = 0;
  for (Index s = 0; s < shards; ++s) {
    sum_g += parts[2 * s * channels + c];
    sum_g_xhat += parts[(2 * s + 1) * channels + c];
  }
  mean_g[c] = static_cast<float>(sum_g / count);
  slope[c] =
      static_cast<float>(sum_g_xhat / count / sqrt(static_cast<double>(variance[c]) + epsilon));
}

// parts: {mean, variance} of every shard
__global__ void __launch_bounds__(kWalkThreads)
    merge_shards(float* mean, float* variance, const float* parts, Index shards, Shape x) {
  const Index c = static_cast<Index>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (c >= x.c) return;
  Moments<double> all{0, 0, 0};
  for (Index s = 0; s < shards; ++s) {
    const Index images = (s + 1) * x.n / shards - s * x.n / shards;
    const auto count = static_cast<double>(images * x.h * x.w);
    all.merge({count, parts[2 * s * x.c + c], parts[(2 * s + 1) * x.c + c] * count});
  }
  mean[c] = static_cast<float>(all.mean);
  variance[c] = static_cast<float>(all.m2 / all.count);
}

// 3. dx
template <int kWidth, bool kRelu>
__global__ void __launch_bounds__(kWalkThreads)
    dx_of_sums(View dx, ConstView dy, ConstView x, Channels per, const float* mean_g,
               const float* slope) {
  const Index mine = (static_cast<Index>(blockIdx.x) * blockDim.x + threadIdx.x) * kWidth;
  if (mine >= x.shape.c) return;
  const Normalise<kWidth> of(per, mine);
  const auto mean = load_pack<kWidth>(mean_g + mine), tilt = load_pack<kWidth>(slope + mine);
  for_packs<kWidth>(x.shape, [&](Index p, Index c) {
    const auto from = load_pack<kWidth>(x.pixel(p) + c);
    auto pack = load_pack<kWidth>(dy.pixel(p) + c);
#pragma unroll
    for (int i = 0; i < kWidth; ++i) {
      const float d = from.v[i] - of.mean.v[i];
      const float g = of.template passed<kRelu>(pack.v[i], d, i);
      pack.v[i] = of.scale.v[i] * (g - mean.v[i] - d * tilt.v[i]);
    }
    store_pack(dx.pixel(p) + c, pack);
  });
}

__global__ void __launch_bounds__(kWalkThreads)
    update_running(float* running_mean, float* running_variance, const float* mean,
                   const float* variance, Index channels, float share, float unbiased) {
  const Index c = static_cast<Index>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (c >= channels) return;
  running_mean[c] += share * (mean[c] - running_mean[c]);
  running_variance[c] += share * (variance[c] * unbiased - running_variance[c]);
}

__global__ void __launch_bounds__(kWalkThreads)
    fold(float* scale, float* shift, Channels per, Index channels) {
  const Index c = static_cast<Index>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (c >= channels) return;
  const double s = per.gamma[c] / sqrt(static_cast<double>(per.variance[c]) + per.epsilon);
  scale[c] = static_cast<float>(s);
  shift[c] = static_cast<float>(per.beta[c] - per.mean[c] * s);
}

bool all_in_fours(const Channels& per) {
  return in_fours(per.mean) && in_fours(per.variance) && in_fours(per.gamma) && in_fours(per.beta);
}

dim3 a_thread_each(Index channels) {
  return dim3(static_cast<unsigned>(ceil_div(channels, kWalkThreads)));
}

}  // namespace

Index batch_norm_workspace(const Context&, Shape x) {
  return 2 * workspace_floats(x.c) + workspace_floats(2 * range_count(x) * x.c);
}

void batch_norm_statistics(const Context& ctx, float* mean, float* variance, ConstView x) {
  const Index channels = x.shape.c, ranges = range_count(x.shape), range = range_pixels(x.shape);
  WorkspaceScope scope(ctx.workspace);
  float* partial = scope.floats(2 * ranges * channels);
  if (ranges > 0)
    gpu::launch(ctx, "batch_norm_statistics", moments_of_ranges,
                dim3(channel_groups(channels), static_cast<unsigned>(ranges)), dim3(kLanes, kRows),
                0, partial, x, range);
  gpu::launch(ctx, "batch_norm_statistics", merge_moments, dim3(channel_groups(channels)),
              dim3(kLanes, kMergeRows), 0, mean, variance, partial, x, range);
}

void batch_norm_update_running(const Context& ctx, float* running_mean, float* running_variance,
                               const float* mean, const float* variance, Index channels,
                               Index count, const BatchNorm& norm) {
  if (channels == 0) return;
  const double unbiased = static_cast<double>(count) / static_cast<double>(count - 1);
  gpu::launch(ctx, "batch_norm_update_running", update_running, a_thread_each(channels),
              dim3(kWalkThreads), 0, running_mean, running_variance, mean, variance, channels,
              norm.momentum, unbiased);
}

void batch_norm_apply(const Context& ctx, View y, ConstView x, const float* mean,
                      const float* variance, const float* gamma, const float* beta,
                      const BatchNorm& norm) {
  if (x.shape.size() == 0) return;
  const Channels per{mean, variance, gamma, beta, norm.epsilon};
  const int width = in_fours(y) && in_fours(x) && all_in_fours(per) ? 4 : 1;
  const Walk walk = walk_over(x.shape, width);
  auto* kernel = norm.relu ? apply<1, true> : apply<1, false>;
  if (width == 4) kernel = norm.relu ? apply<4, true> : apply<4, false>;
  gpu::launch(ctx, "batch_norm_apply", kernel, walk.grid, walk.block, 0, y, x, per);
}

namespace {

void sum_ranges(const Context& ctx, float* partial, ConstView dy, ConstView x, const Channels& per,
                bool relu) {
  gpu::launch(ctx, "batch_norm_backward", relu ? sums_of_ranges<true> : sums_of_ranges<false>,
              dim3(channel_groups(x.shape.c), static_cast<unsigned>(range_count(x.shape))),
              dim3(kLanes, kRows), 0, partial, dy, x, per, range_pixels(x.shape));
}

void form_dx(const Context& ctx, View dx, ConstView dy, ConstView x, const Channels& per, bool relu,
             const float* mean_g, const float* slope) {
  const int width = in_fours(dx) && in_fours(dy) && in_fours(x) && all_in_fours(per) ? 4 : 1;
  const Walk walk = walk_over(x.shape, width);
  auto* kernel = relu ? dx_of_sums<1, true> : dx_of_sums<1, false>;
  if (width == 4) kernel = relu ? dx_of_sums<4, true> : dx_of_sums<4, false>;
  gpu::launch(ctx, "batch_norm_backward", kernel, walk.grid, walk.block, 0, dx, dy, x, per, mean_g,
              slope);
}

}  // namespace

void batch_norm_backward(const Context& ctx, View dx, float* dgamma, float* dbeta, ConstView dy,
                         ConstView x, const float* mean, const float* variance, const float* gamma,
                         const float* beta, const BatchNorm& norm) {
  if (x.shape.size() == 0) return;  // the sums are 0: dgamma and dbeta stay
  const Index channels = x.shape.c, ranges = range_count(x.shape);
  WorkspaceScope scope(ctx.workspace);
  float* mean_g = scope.floats(channels);
  float* slope = scope.floats(channels);
  float* partial = scope.floats(2 * ranges * channels);
  const Channels per{mean, variance, gamma, beta, norm.epsilon};
  sum_ranges(ctx, partial, dy, x, per, norm.relu);
  gpu::launch(ctx, "batch_norm_backward", merge_sums, dim3(channel_groups(channels)),
              dim3(kLanes, kMergeRows), 0, mean_g, slope, dgamma, dbeta, partial, ranges, x.shape,
              variance, norm.epsilon);
  form_dx(ctx, dx, dy, x, per, norm.relu, mean_g, slope);
}

void batch_norm_merge(const Context& ctx, float* mean, float* variance, const float* parts,
                      Index shards, Shape x) {
  gpu::launch(ctx, "batch_norm_merge", merge_shards, a_thread_each(x.c), dim3(kWalkThreads), 0,
              mean, variance, parts, shards, x);
}

void batch_norm_sums(const Context& ctx, float* sums, ConstView dy, ConstView x, const float* mean,
                     const float* variance, const float* gamma, const float* beta,
                     const BatchNorm& norm) {
  const Index channels = x.shape.c, ranges = range_count(x.shape);
  WorkspaceScope scope(ctx.workspace);
  float* partial = scope.floats(2 * ranges * channels);
  if (ranges > 0)
    sum_ranges(ctx, partial, dy, x, {mean, variance, gamma, beta, norm.epsilon}, norm.relu);
  gpu::launch(ctx, "batch_norm_sums", merge_shard_sums, a_thread_each(channels), dim3(kWalkThreads),
              0, sums, partial, ranges, x.shape, variance, norm.epsilon);
}

void batch_norm_dx(const Context& ctx, View dx, ConstView dy, ConstView x, const float* mean,
                   const float* variance, const float* gamma, const float* beta, const float* parts,
                   Index shards, Index count, const BatchNorm& norm) {
  if (x.shape.size() == 0) return;
  const Index channels = x.shape.c;
  WorkspaceScope scope(ctx.workspace);
  float* mean_g = scope.floats(channels);
  float* slope = scope.floats(channels);
  gpu::launch(ctx, "batch_norm_dx", means_of_shards, a_thread_each(channels), dim3(kWalkThreads), 0,
              mean_g, slope, parts, shards, channels, variance, norm.epsilon,
              static_cast<double>(count));
  form_dx(ctx, dx, dy, x, {mean, variance, gamma, beta, norm.epsilon}, norm.relu, mean_g, slope);
}

void batch_norm_fold(const Context& ctx, float* scale, float* shift, const float* mean,
                     const float* variance, const float* gamma, const float* beta, Index channels,
                     const BatchNorm& norm) {
  if (channels == 0) return;
  gpu::launch(ctx, "batch_norm_fold", fold, a_thread_each(channels), dim3(kWalkThreads), 0, scale,
              shift, Channels{mean, variance, gamma, beta, norm.epsilon}, channels);
}

}  // namespace twinage::TWINAGE_GPU_NAMESPACE
