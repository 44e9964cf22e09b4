#include "kernels/normalize_images/normalize_images.h"

#include "core/device_memory.h"
#include "kernels/check.h"

namespace twinage {

void normalize_images(const Context& ctx, View y, const std::uint8_t* rgb, Index side,
                      const ImageVariation* variations) {
  require_view("normalize_images", "y", y);
  const Index size = y.shape.w;
  require(size <= side && y.shape == Shape{y.shape.n, size, size, 3},
          "[normalize_images] expected y = (N, S, S, 3) with S from 1 to side = {}, got y = {}",
          side, y.shape);
  for (Index n = 0; host_readable(ctx.device) && n < y.shape.n; ++n) {
    const ImageVariation& of = variations[n];
    const auto inside = [&](Index first) { return first >= 0 && first + size <= side; };
    require(of.resample || (inside(of.top) && inside(of.left)),
            "[normalize_images] expected crops inside {} x {}, got ({}, {}) + {} for image {}",
            side, side, of.top, of.left, size, n);
  }
  TWINAGE_DISPATCH(ctx, normalize_images, y, rgb, side, variations);
}

}  // namespace twinage
