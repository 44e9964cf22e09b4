#include "core/simt_memory.h"

#include <algorithm>
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

constexpr std::size_t kPage = 4096, kLargePage = std::size_t{2} << 20;
constexpr std::size_t kRegionBytes = std::size_t{16} << 30;  // of address space; used as touched

struct Region {
  std::mutex mutex;
  char* begin = nullptr;
  std::uintptr_t used_end = 0;                   // nothing behind it was ever handed out
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

std::uintptr_t end_of_large_page(std::uintptr_t at) {
  return (at + kLargePage - 1) / kLargePage * kLargePage;
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
  // One large page more than is used, for what is rounded up to its end.
  void* p = mmap(nullptr, kRegionBytes + kLargePage, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  require(p != MAP_FAILED, "[simt] cannot reserve {} bytes of address space for the device",
          kRegionBytes);
  // Opening and closing the region changes every page of it, twice a kernel: of 2 MB pages there
  // are few. (Advice: a system without such pages is slower, and nothing else.)
  madvise(p, kRegionBytes, MADV_HUGEPAGE);
  r.begin = static_cast<char*>(p);
  r.used_end = reinterpret_cast<std::uintptr_t>(p);
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

// Of the whole part in use at once: protection that changes from block to block would break up
// large pages.
void set_protection(const Region& r, int protection) {
  if (r.begin != nullptr)
    mprotect(r.begin, r.used_end - reinterpret_cast<std::uintptr_t>(r.begin), protection);
}

bool closed(const Region& r) {
  return r.protecting && r.open == 0;
}

}  // namespace

void* allocate(std::size_t bytes) {
  Region& r = region();
  const std::lock_guard lock(r.mutex);
  reserve(r);
  const std::uintptr_t at = place(r, bytes);
  auto* p = reinterpret_cast<char*>(at);
  if (closed(r)) set_protection(r, PROT_READ | PROT_WRITE);
  r.used_end = std::max(r.used_end, end_of_large_page(at + extent(bytes)));
  TWINAGE_UNPOISON(p, bytes);
  std::memset(p, 0, bytes);
  if (closed(r)) set_protection(r, PROT_NONE);
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
  // Whole large pages go back to the system; giving back a part of one would break it up.
  const std::uintptr_t first = end_of_large_page(found->first),
                       last = (found->first + found->second) / kLargePage * kLargePage;
  if (first < last) madvise(reinterpret_cast<void*>(first), last - first, MADV_DONTNEED);
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
