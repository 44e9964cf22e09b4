// A thread a pixel of the output.
#include "kernels/normalize_images/normalize_images.h"
#include "kernels/simt/simt.h"

namespace twinage::TWINAGE_GPU_NAMESPACE {
namespace {

constexpr int kThreads = 256;

struct Rgb {
  float v[3];
};

__device__ __forceinline__ Rgb resampled(const std::uint8_t* rgb, int side,
                                         const ImageVariation& of, int y, int x, int size) {
  const float half = size * 0.5F, last = side - 1;
  const float dy = y + 0.5F - half, dx = x + 0.5F - half;
  const float at_x = of.centre_x + of.cosine * dx - of.sine * dy - 0.5F;
  const float at_y = of.centre_y + of.sine * dx + of.cosine * dy - 0.5F;
  const float u = fminf(fmaxf(at_x, 0.0F), last), v = fminf(fmaxf(at_y, 0.0F), last);
  const int x0 = static_cast<int>(u), y0 = static_cast<int>(v);
  const float fx = u - x0, fy = v - y0;
  const std::uint8_t* p = rgb + (static_cast<Index>(y0) * side + x0) * 3;
  const int right = x0 + 1 < side ? 3 : 0, down = y0 + 1 < side ? side * 3 : 0;
  Rgb mixed;
#pragma unroll
  for (int c = 0; c < 3; ++c) {
    const float a = p[c], b = p[c + right], d = p[c + down], e = p[c + down + right];
    const float top = a + (b - a) * fx, bottom = d + (e - d) * fx;
    mixed.v[c] = top + (bottom - top) * fy;
  }
  return mixed;
}

__device__ __forceinline__ Rgb shown(const std::uint8_t* rgb, int side, const ImageVariation& of,
                                     int y, int x, int size) {
  if (of.resample) return resampled(rgb, side, of, y, x, size);
  const std::uint8_t* p = rgb + ((of.top + y) * side + of.left + x) * 3;
  return {{static_cast<float>(p[0]), static_cast<float>(p[1]), static_cast<float>(p[2])}};
}

__device__ __forceinline__ float coloured(const ImageVariation& of, float value) {
  const float varied =
      (value - kPixelMean) * of.contrast + kPixelMean + of.brightness * kPixelWhite;
  return (fminf(fmaxf(varied, 0.0F), kPixelWhite) - kPixelMean) * kPixelScale;
}

// The checks of the dispatcher cannot read variations that lie on the device.
__device__ __forceinline__ bool in_range(const ImageVariation& of, Index side, Index size) {
  return of.resample ||
         (of.top >= 0 && of.left >= 0 && of.top + size <= side && of.left + size <= side);
}

__global__ void __launch_bounds__(kThreads)
    normalize(View y, const std::uint8_t* rgb, int side, const ImageVariation* variations) {
  const int size = static_cast<int>(y.shape.w), area = size * size;
  const int i = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  if (i >= area) return;
  const int h = i / size, w = i % size;
  for (Index n = blockIdx.y; n < y.shape.n; n += gridDim.y) {
    const ImageVariation of = variations[n];
    float* to = y.pixel(n * area + i);
    const bool erased = h >= of.erase_top && h < of.erase_top + of.erase_height &&
                        w >= of.erase_left && w < of.erase_left + of.erase_width;
    if (erased || !in_range(of, side, size)) {
      for (int c = 0; c < 3; ++c) to[c] = erased ? 0.0F : NAN;
      continue;
    }
    const Rgb from =
        shown(rgb + n * side * side * 3, side, of, h, of.flip ? size - 1 - w : w, size);
    const float grey = 0.299F * from.v[0] + 0.587F * from.v[1] + 0.114F * from.v[2];
#pragma unroll
    for (int c = 0; c < 3; ++c)
      to[c] =
          coloured(of, of.saturation == 1 ? from.v[c] : grey + (from.v[c] - grey) * of.saturation);
  }
}

}  // namespace

void normalize_images(const Context& ctx, View y, const std::uint8_t* rgb, Index side,
                      const ImageVariation* variations) {
  if (y.shape.size() == 0) return;
  const dim3 grid(static_cast<unsigned>(ceil_div(y.shape.h * y.shape.w, kThreads)),
                  static_cast<unsigned>(std::min<Index>(y.shape.n, 65535)));
  gpu::launch(ctx, "normalize_images", normalize, grid, dim3(kThreads), 0, y, rgb, side,
              variations);
}

}  // namespace twinage::TWINAGE_GPU_NAMESPACE
