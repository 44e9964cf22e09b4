#include "core/memory.h"

#include <cstdlib>
#include <cstring>

#include <sys/mman.h>

#include "core/error.h"

namespace twinage {
namespace {
constexpr std::size_t kCacheLine = 64;
constexpr std::size_t kHugePage = std::size_t{2} << 20;
}  // namespace

void FreeFloats::operator()(float* p) const noexcept {
  std::free(p);
}

Floats allocate_floats(Index count, Device device) {
  require_available(device);
  require(count >= 0, "[memory] expected a count of at least 0, got {}", count);
  const std::size_t wanted = static_cast<std::size_t>(count) * sizeof(float);
  const std::size_t alignment = wanted >= kHugePage ? kHugePage : kCacheLine;
  const std::size_t bytes = (wanted / alignment + 1) * alignment;  // never empty
  auto* p = static_cast<float*>(std::aligned_alloc(alignment, bytes));
  require(p != nullptr, "[memory] no {} bytes left: use a smaller batch or preset", bytes);
  if (alignment == kHugePage) madvise(p, bytes, MADV_HUGEPAGE);
  std::memset(p, 0, bytes);
  return Floats(p, FreeFloats{bytes, device});
}

}  // namespace twinage
