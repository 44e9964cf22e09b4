#include "kernels/age_loss/age_loss.h"

#include <cmath>

#include "core/device_memory.h"
#include "kernels/check.h"

namespace twinage {
namespace {

void require_rows(const char* operation, ConstView dy, ConstView y) {
  require_view(operation, "y", y);
  require(y.shape.h == 1 && y.shape.w == 1, "[{}] expected y of shape (N, 1, 1, numbers), got {}",
          operation, y.shape);
  require_shape(operation, "dy", dy, y.shape);
  require(dy.data != y.data || y.shape.n == 0, "[{}] expected dy in memory of its own", operation);
}

}  // namespace

void age_distribution_loss(const Context& ctx, float* loss, View dlogits, ConstView logits,
                           const float* ages, float weight, const AgeDistributionLoss& options) {
  constexpr const char* kName = "age_distribution_loss";
  require_rows(kName, dlogits, logits);
  require(options.error == MeanError::absolute || options.error == MeanError::half_square,
          "[{}] unknown error of the mean {}", kName, static_cast<int>(options.error));
  require(std::isfinite(options.sigma) && options.sigma >= 0,
          "[{}] expected a sigma of at least 0 years, got {}", kName, options.sigma);
  const auto oldest = static_cast<float>(logits.shape.c - 1);
  for (Index n = 0; host_readable(ctx.device) && n < logits.shape.n; ++n)
    require(ages[n] >= 0 && ages[n] <= oldest, "[{}] expected ages of 0 to {}, got {} in row {}",
            kName, oldest, ages[n], n);
  TWINAGE_DISPATCH(ctx, age_distribution_loss, loss, dlogits, logits, ages, weight, options);
}

void ordinal_loss(const Context& ctx, float* loss, View dlogits, ConstView logits,
                  const std::int32_t* ranks, float weight) {
  constexpr const char* kName = "ordinal_loss";
  require_rows(kName, dlogits, logits);
  for (Index n = 0; host_readable(ctx.device) && n < logits.shape.n; ++n)
    require(ranks[n] >= 0 && ranks[n] <= logits.shape.c,
            "[{}] expected ranks of 0 to {}, got {} in row {}", kName, logits.shape.c, ranks[n], n);
  TWINAGE_DISPATCH(ctx, ordinal_loss, loss, dlogits, logits, ranks, weight);
}

void absolute_error_loss(const Context& ctx, float* loss, View dy, ConstView y,
                         const float* targets, float weight) {
  require_rows("absolute_error_loss", dy, y);
  require(y.shape.c == 1, "[absolute_error_loss] expected y = {}, got {}", matrix(y.shape.n, 1),
          y.shape);
  TWINAGE_DISPATCH(ctx, absolute_error_loss, loss, dy, y, targets, weight);
}

}  // namespace twinage
