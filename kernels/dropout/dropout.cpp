#include "kernels/dropout/dropout.h"

#include <algorithm>
#include <cmath>

#include "kernels/check.h"

namespace twinage {

DropoutRule dropout_rule(double rate) {
  require(rate >= 0 && rate < 1, "[dropout] expected a rate of at least 0 and below 1, got {}",
          rate);
  constexpr double kWords = 0x1p32;
  const double threshold = std::min(std::nearbyint(rate * kWords), kWords - 1);
  return {static_cast<std::uint32_t>(threshold), static_cast<float>(1 / (1 - rate))};
}

void dropout(const Context& ctx, View y, ConstView x, DropoutRule rule, const DropoutKey* key,
             Write write) {
  require_view("dropout", "x", x);
  require_shape("dropout", "y", y, x.shape);
  // The groups of four are counted by 32 bits.
  require(x.shape.size() <= Index{1} << 34, "[dropout] expected at most 2^34 elements, got {}",
          x.shape);
  TWINAGE_DISPATCH(ctx, dropout, y, x, rule, key, write);
}

}  // namespace twinage
