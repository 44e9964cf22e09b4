#include "core/device_memory.h"

#include <cstdlib>
#include <cstring>

#include <sys/mman.h>

#include "core/cuda_runtime.h"
#include "core/error.h"
#include "core/simt_memory.h"

namespace twinage {
namespace {

constexpr std::size_t kCacheLine = 64;
constexpr std::size_t kHugePage = std::size_t{2} << 20;

// Large blocks are mapped with huge pages where the system has them: walking the page tables costs
// more than the data otherwise.
void* allocate_on_host(std::size_t wanted) {
  const std::size_t alignment = wanted >= kHugePage ? kHugePage : kCacheLine;
  const std::size_t bytes = (wanted / alignment + 1) * alignment;  // never empty
  void* p = std::aligned_alloc(alignment, bytes);
  require(p != nullptr, "[memory] no {} bytes left: use a smaller batch or preset", bytes);
  if (alignment == kHugePage) madvise(p, bytes, MADV_HUGEPAGE);
  std::memset(p, 0, bytes);
  return p;
}

}  // namespace

void* allocate_bytes(std::size_t bytes, Device device) {
  require_available(device);
  switch (device) {
    case Device::cpu:
      return allocate_on_host(bytes);
    case Device::cuda:
      return cuda_allocate(bytes);
    case Device::simt:
      return simt_memory::allocate(bytes);
  }
  fail("[memory] unknown device {}", static_cast<int>(device));
}

void free_bytes(void* p, Device device) noexcept {
  switch (device) {
    case Device::cpu:
      return std::free(p);
    case Device::cuda:
      return cuda_free(p);
    case Device::simt:
      return simt_memory::free(p);
  }
}

void copy_bytes(void* to, Device to_device, const void* from, Device from_device,
                std::size_t bytes) {
  if (bytes == 0) return;
  if (to_device == Device::cuda || from_device == Device::cuda) {
    require(to_device != Device::simt && from_device != Device::simt,
            "[memory] no copies between cuda and simt: go through the host");
    return cuda_copy(to, from, bytes);
  }
  const bool simt = to_device == Device::simt || from_device == Device::simt;
  if (!simt) {
    std::memcpy(to, from, bytes);
    return;
  }
  const simt_memory::Access access;
  std::memcpy(to, from, bytes);
  if (to_device == Device::simt) simt_memory::host_wrote(to, bytes);
}

void set_bytes(void* p, Device device, int value, std::size_t bytes) {
  if (bytes == 0) return;
  if (device == Device::cuda) return cuda_set(p, value, bytes);
  if (device == Device::cpu) {
    std::memset(p, value, bytes);
    return;
  }
  const simt_memory::Access access;
  std::memset(p, value, bytes);
  simt_memory::host_wrote(p, bytes);
}

}  // namespace twinage
