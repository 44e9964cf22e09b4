#include <algorithm>
#include <array>
#include <cstring>

#include "core/parallel.h"
#include "kernels/normalize_images/normalize_images.h"

namespace twinage::cpu {
namespace {

float coloured(const ImageVariation& of, float value) {
  const float varied =
      (value - kPixelMean) * of.contrast + kPixelMean + of.brightness * kPixelWhite;
  return (std::min(std::max(varied, 0.0F), kPixelWhite) - kPixelMean) * kPixelScale;
}

// The first pixel to write of a row, and the way to the next.
struct Row {
  float* to;
  Index step;
  Row(View out, Index y, bool flip)
      : to(out.pixel(y * out.shape.w + (flip ? out.shape.w - 1 : 0))),
        step(flip ? -out.ld : out.ld) {}
};

// Without resampling and saturation a result depends on one byte alone: 256 of them are computed.
void copy_by_table(View out, const std::uint8_t* rgb, Index side, const ImageVariation& of) {
  std::array<float, 256> table;
  for (std::size_t i = 0; i < table.size(); ++i) table[i] = coloured(of, static_cast<float>(i));
  const Index size = out.shape.w;
  for (Index y = 0; y < size; ++y) {
    const std::uint8_t* from = rgb + ((of.top + y) * side + of.left) * 3;
    Row row(out, y, of.flip);
    for (Index x = 0; x < size; ++x, from += 3, row.to += row.step)
      for (Index c = 0; c < 3; ++c) row.to[c] = table[from[c]];
  }
}

// The three channels of a pixel in one vector, whose last lane nobody looks at.
typedef float Pixel __attribute__((vector_size(4 * sizeof(float))));

struct Picture {
  const std::uint8_t *rgb, *end;
  Index side;
};

// Four bytes are read where there are as many. They are widened step by step, as the baseline's
// instructions do it; the compiler, left alone, takes them one by one.
Pixel load(const Picture& picture, const std::uint8_t* p) {
  typedef std::uint8_t Bytes __attribute__((vector_size(16)));
  typedef std::uint16_t Words __attribute__((vector_size(16)));
  typedef std::int32_t Integers __attribute__((vector_size(16)));
  std::uint32_t four;
  if (p + 4 <= picture.end)
    std::memcpy(&four, p, 4);
  else
    four = p[0] | std::uint32_t{p[1]} << 8 | std::uint32_t{p[2]} << 16;
  const Bytes bytes = (Bytes)(Integers{static_cast<std::int32_t>(four), 0, 0, 0}), zeros = {};
  const auto words = (Words)__builtin_shufflevector(bytes, zeros, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20,
                                                    5, 21, 6, 22, 7, 23);
  const auto integers =
      (Integers)__builtin_shufflevector(words, (Words)zeros, 0, 8, 1, 9, 2, 10, 3, 11);
  return __builtin_convertvector(integers, Pixel);
}

Pixel cropped(const Picture& picture, const ImageVariation& of, Index y, Index x) {
  return load(picture, picture.rgb + ((of.top + y) * picture.side + of.left + x) * 3);
}

Pixel resampled(const Picture& picture, const ImageVariation& of, float dy, float dx) {
  const float last = static_cast<float>(picture.side - 1);
  const float at_x = of.centre_x + of.cosine * dx - of.sine * dy - 0.5F;
  const float at_y = of.centre_y + of.sine * dx + of.cosine * dy - 0.5F;
  const float u = std::min(std::max(at_x, 0.0F), last), v = std::min(std::max(at_y, 0.0F), last);
  const int x0 = static_cast<int>(u), y0 = static_cast<int>(v);
  const float fx = u - static_cast<float>(x0), fy = v - static_cast<float>(y0);
  const std::uint8_t* p = picture.rgb + (y0 * picture.side + x0) * 3;
  const Index right = x0 + 1 < picture.side ? 3 : 0;
  const Index down = y0 + 1 < picture.side ? picture.side * 3 : 0;
  const Pixel a = load(picture, p), b = load(picture, p + right);
  const Pixel d = load(picture, p + down), e = load(picture, p + down + right);
  const Pixel top = a + (b - a) * fx, bottom = d + (e - d) * fx;
  return top + (bottom - top) * fy;
}

// As the other one, and the saturation before it.
Pixel coloured(const ImageVariation& of, Pixel shown) {
  const float grey = 0.299F * shown[0] + 0.587F * shown[1] + 0.114F * shown[2];
  const Pixel value = grey + (shown - grey) * of.saturation;
  const Pixel varied =
      (value - kPixelMean) * of.contrast + kPixelMean + of.brightness * kPixelWhite;
  const Pixel black = {}, white = black + kPixelWhite;
  const Pixel above = varied < black ? black : varied;
  return ((white < above ? white : above) - kPixelMean) * kPixelScale;
}

// Parameters are copies: what is written through `out` cannot change them, and they stay in
// registers.
void show(View out, const Picture picture, const ImageVariation of) {
  const Index size = out.shape.w;
  const float half = static_cast<float>(size) * 0.5F;
  for (Index y = 0; y < size; ++y) {
    const float dy = static_cast<float>(y) + 0.5F - half;
    Row row(out, y, of.flip);
    for (Index x = 0; x < size; ++x, row.to += row.step) {
      const Pixel value =
          coloured(of, of.resample ? resampled(picture, of, dy, static_cast<float>(x) + 0.5F - half)
                                   : cropped(picture, of, y, x));
      std::memcpy(row.to, &value, 3 * sizeof(float));
    }
  }
}

void erase(View out, const ImageVariation& of) {
  for (Index y = of.erase_top; y < of.erase_top + of.erase_height; ++y)
    for (Index x = of.erase_left; x < of.erase_left + of.erase_width; ++x)
      std::fill_n(out.pixel(y * out.shape.w + x), 3, 0.0F);
}

void normalize_image(View out, const std::uint8_t* rgb, Index side, const ImageVariation& of) {
  if (!of.resample && of.saturation == 1)
    copy_by_table(out, rgb, side, of);
  else
    show(out, {rgb, rgb + side * side * 3, side}, of);
  erase(out, of);
}

}  // namespace

void normalize_images(const Context& ctx, View y, const std::uint8_t* rgb, Index side,
                      const ImageVariation* variations) {
  parallel_for(ctx.threads, y.shape.n, [&](Index n, int) {
    normalize_image(y.images(n, 1), rgb + n * side * side * 3, side, variations[n]);
  });
}

}  // namespace twinage::cpu
