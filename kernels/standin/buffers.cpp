#include "kernels/standin/buffers.h"

#include <algorithm>
#include <cstring>

#include <sys/mman.h>

#include "core/error.h"
#include "core/simt_memory.h"

namespace standin {
namespace {

namespace simt_memory = twinage::simt_memory;

constexpr std::size_t kPage = 4096;
constexpr std::size_t kMostQuarantined = std::size_t{64} << 20;

std::size_t pages(std::size_t bytes) {
  return (bytes + kPage - 1) / kPage * kPage;
}

// Pages of their own, and one that nobody may touch behind them.
void* allocate_pages(std::size_t bytes) {
  const std::size_t used = pages(bytes);
  void* p = mmap(nullptr, used + kPage, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (p == MAP_FAILED) return nullptr;
  mprotect(p, used, PROT_READ | PROT_WRITE);
  return p;
}

void* allocate_on_device(std::size_t bytes) {
  simt_memory::protect_from_host(true);
  try {
    void* p = simt_memory::allocate(bytes);
    simt_memory::make_undefined(p, bytes);
    return p;
  } catch (const twinage::Error&) {
    return nullptr;  // as CUDA says it: no memory left
  }
}

}  // namespace

std::string Buffer::name() const {
  return fmt::format("buffer {} ({} bytes of {})", number, range.bytes,
                     pinned ? "page-locked memory" : "the device");
}

Buffer* Buffers::allocate(std::size_t bytes, bool pinned) {
  void* p = pinned ? allocate_pages(bytes) : allocate_on_device(bytes);
  if (p == nullptr) return nullptr;
  const auto begin = reinterpret_cast<std::uintptr_t>(p);
  if (!pinned) bytes_on_device_ += bytes;
  Buffer buffer{++count_, {begin, bytes}, pinned, {}, PROT_READ | PROT_WRITE};
  begin_of_[count_] = begin;
  return &buffers_.emplace(begin, std::move(buffer)).first->second;
}

void Buffers::free(Buffer* buffer) {
  const Freed freed{buffer->number, buffer->range, buffer->pinned};
  if (!buffer->pinned) bytes_on_device_ -= buffer->range.bytes;
  begin_of_.erase(buffer->number);
  buffers_.erase(buffer->range.begin);
  freed_.push_back(freed);
  quarantine_.push_back(freed);
  quarantined_ += freed.range.bytes;
  if (freed.pinned)
    mprotect(reinterpret_cast<void*>(freed.range.begin), pages(freed.range.bytes), PROT_NONE);
  while (quarantined_ > kMostQuarantined) {
    give_back(quarantine_.front());
    quarantine_.pop_front();
  }
}

void Buffers::give_back(const Freed& freed) {
  quarantined_ -= freed.range.bytes;
  void* p = reinterpret_cast<void*>(freed.range.begin);
  if (freed.pinned)
    munmap(p, pages(freed.range.bytes) + kPage);
  else
    simt_memory::free(p);
}

Buffer* Buffers::holding(const void* p) {
  const auto at = reinterpret_cast<std::uintptr_t>(p);
  auto next = buffers_.upper_bound(at);
  if (next == buffers_.begin()) return nullptr;
  Buffer& buffer = std::prev(next)->second;
  return at - buffer.range.begin < buffer.range.bytes ? &buffer : nullptr;
}

Buffer* Buffers::numbered(unsigned number) {
  const auto found = begin_of_.find(number);
  return found == begin_of_.end() ? nullptr : &buffers_.at(found->second);
}

std::string Buffers::text(const void* p) const {
  const auto at = reinterpret_cast<std::uintptr_t>(p);
  for (auto freed = freed_.rbegin(); freed != freed_.rend(); ++freed)
    if (at - freed->range.begin < freed->range.bytes)
      return fmt::format("into buffer {}, which was freed", freed->number);
  if (simt_memory::in_region(p)) return "past the end of every buffer of the device";
  return p == nullptr ? "to nothing (null)" : "into pageable memory of the host";
}

bool Buffers::mapped_on_host(const void* p) const {
  const auto at = reinterpret_cast<std::uintptr_t>(p);
#ifdef __SANITIZE_ADDRESS__
  // Its shadow memory lies from 2 GB to 16 TB, where two small numbers side by side may seem to
  // point.
  constexpr std::uintptr_t kNoSmallNumber = 0x1000'8000'0000;
#else
  constexpr std::uintptr_t kNoSmallNumber = std::uintptr_t{1} << 32;
#endif
  constexpr std::uintptr_t kEnd = std::uintptr_t{1} << 47;
  if (at < kNoSmallNumber || at >= kEnd) return false;
  unsigned char resident = 0;
  return mincore(reinterpret_cast<void*>(at / kPage * kPage), 1, &resident) == 0;
}

void Buffers::finish(const Clock& clock) {
  for (auto& [begin, buffer] : buffers_) {
    if (buffer.uses.empty()) continue;
    std::erase_if(buffer.uses, [&](const Use& u) { return clock.holds(u.stream, u.number); });
    protect(buffer);
  }
}

void Buffers::protect(Buffer& buffer) const {
  if (!buffer.pinned) return;
  int allowed = PROT_READ | PROT_WRITE;
  for (const Use& u : buffer.uses) allowed &= u.writes ? PROT_NONE : PROT_READ;
  if (allowed == buffer.protection) return;
  mprotect(reinterpret_cast<void*>(buffer.range.begin), pages(buffer.range.bytes), allowed);
  buffer.protection = allowed;
}

void Buffers::open(const std::vector<unsigned>& numbers) {
  constexpr int kAll = PROT_READ | PROT_WRITE;
  for (const unsigned number : numbers) {
    Buffer* buffer = numbered(number);
    if (buffer == nullptr || !buffer->pinned || buffer->protection == kAll) continue;
    mprotect(reinterpret_cast<void*>(buffer->range.begin), pages(buffer->range.bytes), kAll);
    buffer->protection = kAll;
  }
}

}  // namespace standin
