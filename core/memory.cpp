#include "core/memory.h"

#include "core/device_memory.h"
#include "core/error.h"

namespace twinage {

void FreeFloats::operator()(float* p) const noexcept {
  if (owned) free_bytes(p, bytes, device);
}

Floats borrow_floats(float* block, Index count, Device device) {
  return Floats(block, FreeFloats{static_cast<std::size_t>(count) * sizeof(float), device, false});
}

Floats allocate_floats(Index count, Device device) {
  require(count >= 0, "[memory] expected a count of at least 0, got {}", count);
  const std::size_t bytes = static_cast<std::size_t>(count) * sizeof(float);
  return Floats(static_cast<float*>(allocate_bytes(bytes, device)), FreeFloats{bytes, device});
}

}  // namespace twinage
