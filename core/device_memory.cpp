#include "core/device_memory.h"

#include <array>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>

#include <malloc.h>
#include <sys/mman.h>

#include "core/cuda_runtime.h"
#include "core/error.h"
#include "core/simt_memory.h"

namespace twinage {
namespace {

constexpr std::size_t kCacheLine = 64;
constexpr std::size_t kHugePage = std::size_t{2} << 20;

struct Use {
  std::atomic<std::size_t> now = 0, most = 0;
};
Use& use_of(Device device) {
  static std::array<Use, 3> uses;
  return uses.at(static_cast<std::size_t>(device));
}

void* found(void* p, std::size_t bytes) {
  require(p != nullptr, "[memory] no {} bytes left: use a smaller batch or preset", bytes);
  return p;
}

bool starts_huge_page(const void* p) {
  return reinterpret_cast<std::uintptr_t>(p) % kHugePage == 0;
}

// Large blocks are mapped with huge pages where the system has them: walking the page tables costs
// more than the data otherwise. They are told from small ones by where they start. Each is a
// mapping of its own that goes back to the system when it is freed: glibc would raise this
// threshold by itself, and keep up to 64 MB for later. The last huge page need not be a whole one.
void* allocate_large(std::size_t wanted) {
  [[maybe_unused]] static const int set = mallopt(M_MMAP_THRESHOLD, int{kHugePage});
  const std::size_t bytes = (wanted / kCacheLine + 1) * kCacheLine;
  void* p = nullptr;
  found(posix_memalign(&p, kHugePage, bytes) == 0 ? p : nullptr, bytes);
  madvise(p, bytes, MADV_HUGEPAGE);
  std::memset(p, 0, bytes);
  return p;
}

// calloc does not touch memory that the system has just given, which is zero: gradients that
// nothing is ever added to, as where a network only reads faces, take none. What it returned stands
// before the block.
void* allocate_small(std::size_t wanted) {
  const std::size_t bytes = wanted + 3 * kCacheLine;  // never empty
  char* start = static_cast<char*>(found(std::calloc(1, bytes), bytes));
  void* p = start + sizeof start;
  std::size_t room = bytes - sizeof start;
  std::align(kCacheLine, wanted, p, room);
  if (starts_huge_page(p)) p = static_cast<char*>(p) + kCacheLine;
  static_cast<char**>(p)[-1] = start;
  return p;
}

void free_on_host(void* p) {
  if (p != nullptr) std::free(starts_huge_page(p) ? p : static_cast<void**>(p)[-1]);
}

void* allocate(std::size_t bytes, Device device) {
  switch (device) {
    case Device::cpu:
      return bytes >= kHugePage ? allocate_large(bytes) : allocate_small(bytes);
    case Device::cuda:
      return cuda_allocate(bytes);
    case Device::simt:
      return simt_memory::allocate(bytes);
  }
  fail("[memory] unknown device {}", static_cast<int>(device));
}

}  // namespace

void* allocate_bytes(std::size_t bytes, Device device) {
  require_available(device);
  void* p = allocate(bytes, device);
  Use& use = use_of(device);
  const std::size_t now = use.now += bytes;
  std::size_t most = use.most;
  while (most < now && !use.most.compare_exchange_weak(most, now)) {
  }
  return p;
}

std::size_t bytes_in_use(Device device) {
  return use_of(device).now;
}
std::size_t most_bytes_in_use(Device device) {
  return use_of(device).most;
}

void free_bytes(void* p, std::size_t bytes, Device device) noexcept {
  if (p != nullptr) use_of(device).now -= bytes;
  switch (device) {
    case Device::cpu:
      return free_on_host(p);
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
