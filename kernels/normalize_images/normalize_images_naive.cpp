#include <algorithm>
#include <cmath>

#include "kernels/normalize_images/normalize_images.h"

namespace twinage::naive {
namespace {

struct Picture {
  const std::uint8_t* rgb;
  Index side;

  // Channel c at a position between the centres of pixels.
  double at(double v, double u, Index c) const {
    const auto last = static_cast<double>(side - 1);
    v = std::clamp(v, 0.0, last);
    u = std::clamp(u, 0.0, last);
    const auto y0 = static_cast<Index>(v), x0 = static_cast<Index>(u);
    const Index y1 = std::min(y0 + 1, side - 1), x1 = std::min(x0 + 1, side - 1);
    const double fy = v - static_cast<double>(y0), fx = u - static_cast<double>(x0);
    const auto byte = [&](Index y, Index x) {
      return static_cast<double>(rgb[(y * side + x) * 3 + c]);
    };
    return (byte(y0, x0) * (1 - fx) + byte(y0, x1) * fx) * (1 - fy) +
           (byte(y1, x0) * (1 - fx) + byte(y1, x1) * fx) * fy;
  }
};

// Channel c of the source at the output's pixel (y, x), before colours.
double shown(const Picture& picture, const ImageVariation& of, Index y, Index x, Index size,
             Index c) {
  if (!of.resample)
    return picture.at(static_cast<double>(of.top + y), static_cast<double>(of.left + x), c);
  const double half = static_cast<double>(size) / 2;
  const double dy = static_cast<double>(y) + 0.5 - half, dx = static_cast<double>(x) + 0.5 - half;
  return picture.at(of.centre_y + of.sine * dx + of.cosine * dy - 0.5,
                    of.centre_x + of.cosine * dx - of.sine * dy - 0.5, c);
}

double coloured(const ImageVariation& of, double value, double grey) {
  const double v = grey + (value - grey) * of.saturation;
  const double varied = (v - kPixelMean) * of.contrast + kPixelMean +
                        static_cast<double>(of.brightness) * kPixelWhite;
  return (std::clamp(varied, 0.0, static_cast<double>(kPixelWhite)) - kPixelMean) * kPixelScale;
}

}  // namespace

void normalize_images(const Context&, View y, const std::uint8_t* rgb, Index side,
                      const ImageVariation* variations) {
  const Index size = y.shape.w;
  for (Index n = 0; n < y.shape.n; ++n) {
    const Picture picture{rgb + n * side * side * 3, side};
    const ImageVariation& of = variations[n];
    for (Index h = 0; h < size; ++h)
      for (Index w = 0; w < size; ++w) {
        const Index from = of.flip ? size - 1 - w : w;
        const auto value = [&](Index c) { return shown(picture, of, h, from, size, c); };
        const double grey = 0.299 * value(0) + 0.587 * value(1) + 0.114 * value(2);
        const bool erased = h >= of.erase_top && h < of.erase_top + of.erase_height &&
                            w >= of.erase_left && w < of.erase_left + of.erase_width;
        for (Index c = 0; c < 3; ++c)
          y.pixel((n * size + h) * size + w)[c] =
              erased ? 0.0F : static_cast<float>(coloured(of, value(c), grey));
      }
  }
}

}  // namespace twinage::naive
