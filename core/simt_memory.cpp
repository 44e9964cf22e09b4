#include "core/simt_memory.h"

#include <csignal>
#include <cstring>
#include <map>
#include <mutex>

#include <sys/mman.h>
#include <unistd.h>

#include "core/error.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#define TWINAGE_POISON(p, bytes) __asan_poison_memory_region(p, bytes)
#define TWINAGE_UNPOISON(p, bytes) __asan_unpoison_memory_region(p, bytes)
#else
#define TWINAGE_POISON(p, bytes) static_cast<void>(p)
#define TWINAGE_UNPOISON(p, bytes) static_cast<void>(p)
#endif

namespace twinage::simt_memory {
namespace {

constexpr std::size_t kPage = 4096;
constexpr std::size_t kRegionBytes = std::size_t{16} << 30;  // of address space; used as touched

struct Region {
  std::mutex mutex;
  char* begin = nullptr;
  std::map<std::uintptr_t, std::size_t> blocks;  // begin -> bytes asked for
  Listener listener;
  bool protecting = false;
  int open = 0;
};

Region& region() {
  static Region* r = new Region;  // never destroyed: tensors of static storage may outlive it
  return *r;
}

// Every block is followed by an unused page, and starts on a page: a wild access is told from one
// into a neighbour.
std::size_t extent(std::size_t bytes) {
  return (bytes + kPage - 1) / kPage * kPage + kPage;
}

void explain_fault(int, siginfo_t* info, void*) {
  if (in_region(info->si_addr)) {
    constexpr char message[] =
        "[simt] the host followed a pointer into device memory: copy the tensor to the host first "
        "(Tensor::copy_to). The backtrace in gdb shows where.\n";
    [[maybe_unused]] const auto ignored = write(STDERR_FILENO, message, sizeof message - 1);
  }
  signal(SIGSEGV, SIG_DFL);  // the access is repeated and ends the process
}

void reserve(Region& r) {
  if (r.begin != nullptr) return;
  void* p = mmap(nullptr, kRegionBytes, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  require(p != MAP_FAILED, "[simt] cannot reserve {} bytes of address space for the device",
          kRegionBytes);
  r.begin = static_cast<char*>(p);
  TWINAGE_POISON(r.begin, kRegionBytes);
}

// The first gap that is large enough.
std::uintptr_t place(const Region& r, std::size_t bytes) {
  std::uintptr_t at = reinterpret_cast<std::uintptr_t>(r.begin) + kPage;
  for (const auto& [begin, size] : r.blocks) {
    if (begin >= at && begin - at >= extent(bytes)) return at;
    at = begin + extent(size);
  }
  const std::uintptr_t end = reinterpret_cast<std::uintptr_t>(r.begin) + kRegionBytes;
  require(end - at >= extent(bytes), "[simt] no {} bytes left on the device: use a smaller batch",
          bytes);
  return at;
}

// Only the part in use: the rest of the region was never touched.
void set_protection(const Region& r, int protection) {
  if (r.blocks.empty()) return;
  const auto& [last, bytes] = *r.blocks.rbegin();
  const std::uintptr_t end = last + extent(bytes);
  mprotect(r.begin, end - reinterpret_cast<std::uintptr_t>(r.begin), protection);
}

}  // namespace

void* allocate(std::size_t bytes) {
  Region& r = region();
  const std::lock_guard lock(r.mutex);
  reserve(r);
  const std::uintptr_t at = place(r, bytes);
  auto* p = reinterpret_cast<char*>(at);
  mprotect(p, extent(bytes), PROT_READ | PROT_WRITE);
  TWINAGE_UNPOISON(p, bytes);
  std::memset(p, 0, bytes);
  if (r.protecting && r.open == 0) mprotect(p, extent(bytes), PROT_NONE);
  r.blocks[at] = bytes;
  return p;
}

void free(void* p) noexcept {
  if (p == nullptr) return;
  Region& r = region();
  const std::lock_guard lock(r.mutex);
  const auto found = r.blocks.find(reinterpret_cast<std::uintptr_t>(p));
  if (found == r.blocks.end()) return;
  if (r.listener.freed != nullptr) r.listener.freed({found->first, found->second});
  madvise(p, extent(found->second), MADV_DONTNEED);
  TWINAGE_POISON(p, found->second);
  r.blocks.erase(found);
}

bool in_region(const void* p) {
  const char* begin = region().begin;
  const auto* at = static_cast<const char*>(p);
  return begin != nullptr && at >= begin && at < begin + kRegionBytes;
}

Block block_of(const void* p) {
  Region& r = region();
  const std::lock_guard lock(r.mutex);
  auto next = r.blocks.upper_bound(reinterpret_cast<std::uintptr_t>(p));
  if (next == r.blocks.begin()) return {};
  --next;
  return {next->first, next->second};
}

void set_listener(Listener listener) {
  const std::lock_guard lock(region().mutex);
  region().listener = listener;
}

void host_wrote(const void* p, std::size_t bytes) {
  if (region().listener.written != nullptr) region().listener.written(p, bytes);
}

void make_undefined(void* p, std::size_t bytes) {
  const Access access;
  std::memset(p, 0xff, bytes);
  if (region().listener.undefined != nullptr) region().listener.undefined(p, bytes);
}

void protect_from_host(bool on) {
  Region& r = region();
  const std::lock_guard lock(r.mutex);
  if (on && !r.protecting) {
    struct sigaction action {};
    action.sa_sigaction = explain_fault;
    action.sa_flags = SA_SIGINFO;
    sigaction(SIGSEGV, &action, nullptr);
  }
  r.protecting = on;
  if (r.open == 0) set_protection(r, on ? PROT_NONE : PROT_READ | PROT_WRITE);
}

Access::Access() {
  Region& r = region();
  const std::lock_guard lock(r.mutex);
  if (r.open++ == 0 && r.protecting) set_protection(r, PROT_READ | PROT_WRITE);
}

Access::~Access() {
  Region& r = region();
  const std::lock_guard lock(r.mutex);
  if (--r.open == 0 && r.protecting) set_protection(r, PROT_NONE);
}

}  // namespace twinage::simt_memory
