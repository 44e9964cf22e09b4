#include "kernels/conv2d/rungs/rungs.h"

#include <array>

#include "kernels/check.h"

namespace twinage {
namespace {

using Kernel = void (*)(const Context& ctx, View y, ConstView x, ConstView w, Conv2d conv);

constexpr std::array<Kernel, kConv2dRungs> kSimt = {simt::conv2d_rung1, simt::conv2d_rung2,
                                                    simt::conv2d_rung3, simt::conv2d_rung4,
                                                    simt::conv2d_rung5, simt::conv2d_rung6};
#if TWINAGE_CUDA
constexpr std::array<Kernel, kConv2dRungs> kCuda = {cuda::conv2d_rung1, cuda::conv2d_rung2,
                                                    cuda::conv2d_rung3, cuda::conv2d_rung4,
                                                    cuda::conv2d_rung5, cuda::conv2d_rung6};
#endif

constexpr std::array<const char*, kConv2dRungs> kNames = {
    "naive", "shared tiles", "register tiles", "vector loads", "double buffer", "tensor cores"};

std::size_t index_of(int rung) {
  require(rung >= 1 && rung <= kConv2dRungs, "[conv2d_rung] expected rung 1 to {}, got {}",
          kConv2dRungs, rung);
  return static_cast<std::size_t>(rung - 1);
}

}  // namespace

const char* conv2d_rung_name(int rung) {
  return kNames[index_of(rung)];
}

void conv2d_rung(const Context& ctx, int rung, View y, ConstView x, ConstView w, Conv2d conv) {
  const std::size_t i = index_of(rung);
  const Shape expected = conv2d_shape(x.shape, w.shape, conv);
  require(y.shape == expected, "[conv2d_rung] expected y of {}, got {}", expected, y.shape);
  require(x.contiguous() && y.contiguous() && w.contiguous() && x.shape.c % 16 == 0,
          "[conv2d_rung] expected whole tensors with C a multiple of 16, got x = {}", x.shape);
  if (y.shape.n == 0) return;
  if (ctx.device == Device::simt || (ctx.device == Device::cuda && gpu::stood_in()))
    return kSimt[i](ctx, y, x, w, conv);
#if TWINAGE_CUDA
  if (ctx.device == Device::cuda) return kCuda[i](ctx, y, x, w, conv);
#endif
  fail("[conv2d_rung] the rungs are CUDA kernels: run them on device simt or cuda, not on {}",
       to_string(ctx.device));
}

}  // namespace twinage
