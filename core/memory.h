// Memory for floats on a device.
#pragma once
#include <memory>

#include "core/device.h"
#include "core/shape.h"

namespace twinage {

struct FreeFloats {
  std::size_t bytes = 0;
  Device device = Device::cpu;
  bool owned = true;  // false: a part of a block that somebody else frees
  void operator()(float* p) const noexcept;
};
using Floats = std::unique_ptr<float[], FreeFloats>;

// Zero-filled, aligned to a cache line. Throws Error when the device has no such amount.
Floats allocate_floats(Index count, Device device);

// A part of a block that somebody else owns and that lives longer.
Floats borrow_floats(float* block, Index count, Device device);

}  // namespace twinage
