#include "core/memory.h"

#include "core/device_memory.h"
#include "core/error.h"

namespace twinage {

void FreeFloats::operator()(float* p) const noexcept {
  free_bytes(p, device);
}

Floats allocate_floats(Index count, Device device) {
  require(count >= 0, "[memory] expected a count of at least 0, got {}", count);
  const std::size_t bytes = static_cast<std::size_t>(count) * sizeof(float);
  return Floats(static_cast<float*>(allocate_bytes(bytes, device)), FreeFloats{bytes, device});
}

}  // namespace twinage
