#include <algorithm>
#include <array>

#include "core/error.h"
#include "core/parallel.h"
#include "kernels/normalize_images/normalize_images.h"

namespace twinage::cpu {
namespace {

constexpr Index kMaxSide = 4096;  // of y: one of its rows stands on the stack

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

void copy_row(float* row, const std::uint8_t* rgb, Index side, const ImageVariation& of, Index y,
              Index size) {
  const std::uint8_t* from = rgb + ((of.top + y) * side + of.left) * 3;
  for (Index i = 0; i < size * 3; ++i) row[i] = static_cast<float>(from[i]);
}

void resample_row(float* row, const std::uint8_t* rgb, Index side, const ImageVariation& of,
                  Index y, Index size) {
  const float half = static_cast<float>(size) * 0.5F, last = static_cast<float>(side - 1);
  const float dy = static_cast<float>(y) + 0.5F - half;
  for (Index x = 0; x < size; ++x, row += 3) {
    const float dx = static_cast<float>(x) + 0.5F - half;
    const float at_x = of.centre_x + of.cosine * dx - of.sine * dy - 0.5F;
    const float at_y = of.centre_y + of.sine * dx + of.cosine * dy - 0.5F;
    const float u = std::min(std::max(at_x, 0.0F), last), v = std::min(std::max(at_y, 0.0F), last);
    const int x0 = static_cast<int>(u), y0 = static_cast<int>(v);
    const float fx = u - static_cast<float>(x0), fy = v - static_cast<float>(y0);
    const std::uint8_t* p = rgb + (y0 * side + x0) * 3;
    const Index right = x0 + 1 < side ? 3 : 0, down = y0 + 1 < side ? side * 3 : 0;
    for (Index c = 0; c < 3; ++c) {
      const float a = p[c], b = p[c + right], d = p[c + down], e = p[c + down + right];
      const float top = a + (b - a) * fx, bottom = d + (e - d) * fx;
      row[c] = top + (bottom - top) * fy;
    }
  }
}

void write_row(View out, const float* values, Index y, const ImageVariation& of) {
  Row row(out, y, of.flip);
  for (Index x = 0; x < out.shape.w; ++x, values += 3, row.to += row.step) {
    const float grey = 0.299F * values[0] + 0.587F * values[1] + 0.114F * values[2];
    for (Index c = 0; c < 3; ++c)
      row.to[c] = coloured(of, grey + (values[c] - grey) * of.saturation);
  }
}

void erase(View out, const ImageVariation& of) {
  for (Index y = of.erase_top; y < of.erase_top + of.erase_height; ++y)
    for (Index x = of.erase_left; x < of.erase_left + of.erase_width; ++x)
      std::fill_n(out.pixel(y * out.shape.w + x), 3, 0.0F);
}

void normalize_image(View out, const std::uint8_t* rgb, Index side, const ImageVariation& of) {
  if (!of.resample && of.saturation == 1) {
    copy_by_table(out, rgb, side, of);
  } else {
    const Index size = out.shape.w;
    // Not a vector for each thread: the C library aborts where it has no memory left to note that
    // it is to be freed.
    require(size <= kMaxSide, "[normalize_images] expected at most {} pixels a side, got {}",
            kMaxSide, size);
    std::array<float, 3 * kMaxSide> row;
    for (Index y = 0; y < size; ++y) {
      (of.resample ? resample_row : copy_row)(row.data(), rgb, side, of, y, size);
      write_row(out, row.data(), y, of);
    }
  }
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
