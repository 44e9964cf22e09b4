// What the dispatchers check before an operation writes anything.
#pragma once
#include "core/context.h"
#include "core/error.h"
#include "core/view.h"

namespace gpu {
bool stood_in();  // a test's stand-in for the CUDA runtime runs here: kernels/simt/stand_in.h
}

namespace twinage {

// The pitch must cover the channels. `name` is the argument's, for the message.
inline void require_view(const char* operation, const char* name, ConstView v, bool bf16 = false) {
  require(bf16 || v.element == Element::float32, "[{}] expected {} in float32, got bf16", operation,
          name);
  require(v.element == Element::float32 || v.shape.c % 2 == 0,
          "[{}] expected {} of bf16 with an even number of channels, got {}", operation, name,
          v.shape);
  require(v.shape.n >= 0 && v.shape.h >= 1 && v.shape.w >= 1 && v.shape.c >= 1,
          "[{}] expected {} with extents of at least 1 (n: 0), got {}", operation, name, v.shape);
  const Index least = words(v.element, v.shape.c);
  require(v.ld >= least, "[{}] expected {}.ld >= {} = {}, got {}", operation, name,
          v.element == Element::bf16 ? "c / 2" : "c", least, v.ld);
}

inline void require_shape(const char* operation, const char* name, ConstView v, Shape expected,
                          bool bf16 = false) {
  require(v.shape == expected, "[{}] expected {} = {}, got {}", operation, name, expected, v.shape);
  require_view(operation, name, v, bf16);
}

// tf32 is the tensor cores': the GPU's, and the simulated GPU's.
inline void require_math(const Context& ctx, const char* operation) {
  require(ctx.math == Math::fp32 || ctx.math == Math::tf32 || ctx.math == Math::bf16,
          "[{}] unknown arithmetic {}", operation, static_cast<int>(ctx.math));
  require(ctx.device != Device::cpu || ctx.math != Math::tf32,
          "[{}] device cpu multiplies in fp32 or bf16, not in tf32", operation);
}

// Runs the function of ctx.device's namespace: `return` of the dispatcher. Nothing falls back to
// another device by itself. (The objects of simt queue a launch of device cuda in the stand-in.)
#if TWINAGE_CUDA
#define TWINAGE_DISPATCH_CUDA(ctx, function, ...)               \
  if (gpu::stood_in()) return simt::function(ctx, __VA_ARGS__); \
  return cuda::function(ctx, __VA_ARGS__)
#else
#define TWINAGE_DISPATCH_CUDA(ctx, function, ...)               \
  if (gpu::stood_in()) return simt::function(ctx, __VA_ARGS__); \
  fail_no_kernel(#function, (ctx).device)
#endif
#define TWINAGE_DISPATCH(ctx, function, ...)             \
  switch ((ctx).device) {                                \
    case Device::cpu:                                    \
      return cpu::function(ctx, __VA_ARGS__);            \
    case Device::simt:                                   \
      return simt::function(ctx, __VA_ARGS__);           \
    case Device::cuda:                                   \
      TWINAGE_DISPATCH_CUDA(ctx, function, __VA_ARGS__); \
  }                                                      \
  fail_no_kernel(#function, (ctx).device)

// For the operations that NVIDIA's libraries have, too.
#define TWINAGE_DISPATCH_OR_VENDOR(ctx, function, ...) \
  if ((ctx).vendor) {                                  \
    require_vendor(ctx, #function);                    \
    return vendor::function(ctx, __VA_ARGS__);         \
  }                                                    \
  TWINAGE_DISPATCH(ctx, function, __VA_ARGS__)

inline void require_vendor(const Context& ctx, const char* operation) {
  require(ctx.device == Device::cuda,
          "[{}] the vendor's kernels compute on device cuda, not on {}: choose our own kernels",
          operation, to_string(ctx.device));
}

// Nothing falls back to another device by itself.
[[noreturn]] inline void fail_no_kernel(const char* operation, Device device) {
  fail("[{}] has no kernel for device {} in this build; run it on cpu", operation,
       to_string(device));
}

}  // namespace twinage
