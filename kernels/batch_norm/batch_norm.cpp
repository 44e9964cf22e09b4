#include "kernels/batch_norm/batch_norm.h"

#include "kernels/check.h"

namespace twinage {
namespace {

void require_epsilon(const char* operation, const BatchNorm& norm) {
  require(norm.epsilon > 0, "[{}] expected epsilon > 0, got {}", operation, norm.epsilon);
}

}  // namespace

Index batch_norm_workspace(const Context& ctx, Shape x) {
  TWINAGE_DISPATCH(ctx, batch_norm_workspace, x);
}

void batch_norm_statistics(const Context& ctx, float* mean, float* variance, ConstView x) {
  require_view("batch_norm_statistics", "x", x);
  TWINAGE_DISPATCH(ctx, batch_norm_statistics, mean, variance, x);
}

void batch_norm_update_running(const Context& ctx, float* running_mean, float* running_variance,
                               const float* mean, const float* variance, Index channels,
                               Index count, const BatchNorm& norm) {
  require(
      count >= 2,
      "[batch_norm_update_running] expected at least 2 pixels per channel, got {}: the unbiased "
      "variance needs them",
      count);
  require(norm.momentum >= 0 && norm.momentum <= 1,
          "[batch_norm_update_running] expected momentum in [0, 1], got {}", norm.momentum);
  TWINAGE_DISPATCH(ctx, batch_norm_update_running, running_mean, running_variance, mean, variance,
                   channels, count, norm);
}

void batch_norm_apply(const Context& ctx, View y, ConstView x, const float* mean,
                      const float* variance, const float* gamma, const float* beta,
                      const BatchNorm& norm) {
  require_view("batch_norm_apply", "x", x);
  require_shape("batch_norm_apply", "y", y, x.shape);
  require_epsilon("batch_norm_apply", norm);
  TWINAGE_DISPATCH(ctx, batch_norm_apply, y, x, mean, variance, gamma, beta, norm);
}

void batch_norm_backward(const Context& ctx, View dx, float* dgamma, float* dbeta, ConstView dy,
                         ConstView x, const float* mean, const float* variance, const float* gamma,
                         const float* beta, const BatchNorm& norm) {
  require_view("batch_norm_backward", "x", x);
  require_shape("batch_norm_backward", "dy", dy, x.shape);
  require_shape("batch_norm_backward", "dx", dx, x.shape);
  require_epsilon("batch_norm_backward", norm);
  TWINAGE_DISPATCH(ctx, batch_norm_backward, dx, dgamma, dbeta, dy, x, mean, variance, gamma, beta,
                   norm);
}

void batch_norm_merge(const Context& ctx, float* mean, float* variance, const float* parts,
                      Index shards, Shape x) {
  require(shards >= 1 && shards <= x.n,
          "[batch_norm_merge] expected 1 to {} shards of {} images, got {}", x.n, x.n, shards);
  TWINAGE_DISPATCH(ctx, batch_norm_merge, mean, variance, parts, shards, x);
}

void batch_norm_sums(const Context& ctx, float* sums, ConstView dy, ConstView x, const float* mean,
                     const float* variance, const float* gamma, const float* beta,
                     const BatchNorm& norm) {
  require_view("batch_norm_sums", "x", x);
  require_shape("batch_norm_sums", "dy", dy, x.shape);
  require_epsilon("batch_norm_sums", norm);
  TWINAGE_DISPATCH(ctx, batch_norm_sums, sums, dy, x, mean, variance, gamma, beta, norm);
}

void batch_norm_dx(const Context& ctx, View dx, ConstView dy, ConstView x, const float* mean,
                   const float* variance, const float* gamma, const float* beta, const float* parts,
                   Index shards, Index count, const BatchNorm& norm) {
  require_view("batch_norm_dx", "x", x);
  require_shape("batch_norm_dx", "dy", dy, x.shape);
  require_shape("batch_norm_dx", "dx", dx, x.shape);
  require_epsilon("batch_norm_dx", norm);
  require(shards >= 1 && count >= x.shape.pixels(),
          "[batch_norm_dx] expected at least 1 shard and {} pixels, got {} and {}",
          x.shape.pixels(), shards, count);
  TWINAGE_DISPATCH(ctx, batch_norm_dx, dx, dy, x, mean, variance, gamma, beta, parts, shards, count,
                   norm);
}

void batch_norm_fold(const Context& ctx, float* scale, float* shift, const float* mean,
                     const float* variance, const float* gamma, const float* beta, Index channels,
                     const BatchNorm& norm) {
  require_epsilon("batch_norm_fold", norm);
  TWINAGE_DISPATCH(ctx, batch_norm_fold, scale, shift, mean, variance, gamma, beta, channels, norm);
}

}  // namespace twinage
