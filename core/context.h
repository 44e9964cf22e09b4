// Context: where and how an operation computes. Passed to every operation, owned by the caller.
#pragma once
#include <string_view>

#include "core/device.h"
#include "core/enum_names.h"
#include "core/workspace.h"

namespace twinage {

// The arithmetic's precision: of the operands of multiplications; sums are always float32.
enum class Math { fp32, tf32, bf16 };
template <>
struct EnumNames<Math> {
  static constexpr std::string_view what = "math";
  static constexpr EnumName<Math> table[] = {
      {Math::fp32, "fp32"},
      {Math::tf32, "tf32"},
      {Math::bf16, "bf16"},
  };
};

class Shards;  // core/shards.h

struct Context {
  Device device = Device::cpu;
  Math math = Math::fp32;
  bool vendor = false;             // cuDNN and cuBLAS instead of our own kernels, on device cuda
  int threads = 1;                 // of the host; results do not depend on it
  Workspace* workspace = nullptr;  // of a step; see core/workspace.h
  void* stream = nullptr;          // cudaStream_t of device cuda
  const Shards* shards = nullptr;  // of a training step whose sums over the batch are cut
};

// Whether operations that know bf16 views (core/view.h) take them: inference in bf16 on the CPU.
constexpr bool takes_bf16_views(const Context& ctx) {
  return ctx.device == Device::cpu && ctx.math == Math::bf16;
}

}  // namespace twinage
