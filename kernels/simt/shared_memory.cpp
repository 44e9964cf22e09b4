#include "kernels/simt/shared_memory.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "core/error.h"
#include "kernels/simt/sanitizers.h"

namespace gpu {
namespace {

constexpr std::size_t kAlignment = 64;  // at least what a GPU gives: kernels may count on 32
constexpr std::size_t kRedZone = 64;    // after each array
constexpr std::size_t kArenaBytes = 256 * 1024;  // room for red zones between 99 KB of arrays
constexpr int kUndefined = 0xff;                 // in every byte: a NaN
constexpr char kRed = 0x5a;

}  // namespace

std::string SharedMemory::Array::text() const {
  return key == nullptr ? "dynamic shared memory" : std::string("shared array ") + name;
}

void SharedMemory::Free::operator()(char* p) const noexcept {
#if defined(TWINAGE_ASAN)
  __asan_unpoison_memory_region(p, kArenaBytes);
#endif
  std::free(p);
}

SharedMemory::SharedMemory()
    : arena_(static_cast<char*>(std::aligned_alloc(kAlignment, kArenaBytes))) {
  twinage::require(arena_ != nullptr, "[simt] no {} bytes left for shared memory", kArenaBytes);
}

SharedMemory::~SharedMemory() = default;

void SharedMemory::begin_block(std::size_t dynamic_bytes) {
#if defined(TWINAGE_ASAN)
  __asan_poison_memory_region(arena_.get(), kArenaBytes);
#endif
  arrays_.clear();
  end_ = 0;
  take(nullptr, "", dynamic_bytes);
}

void SharedMemory::take(const void* key, const char* name, std::size_t bytes) {
  char* p = arena_.get() + end_;
  arrays_.push_back({key, name, end_, bytes});
  end_ = (end_ + bytes + kRedZone + kAlignment - 1) / kAlignment * kAlignment;
  const std::size_t red = static_cast<std::size_t>(arena_.get() + end_ - (p + bytes));
#if defined(TWINAGE_ASAN)
  __asan_unpoison_memory_region(p, bytes + red);
#endif
  std::memset(p, kUndefined, bytes);
  std::memset(p + bytes, kRed, red);
#if defined(TWINAGE_ASAN)
  __asan_poison_memory_region(p + bytes, red);
#endif
}

void* SharedMemory::find(const void* key) {
  for (const Array& a : arrays_)
    if (a.key == key) return arena_.get() + a.begin;
  return nullptr;
}

void* SharedMemory::create(const void* key, const char* name, std::size_t bytes) {
  const std::size_t all = bytes_in_use() + bytes, fixed = all - arrays_.front().bytes;
  if (all > kMostBytes || fixed > kMostFixedBytes) return nullptr;
  if (end_ + bytes + kRedZone + kAlignment > kArenaBytes) return nullptr;  // thousands of arrays
  take(key, name, bytes);
  return arena_.get() + arrays_.back().begin;
}

std::size_t SharedMemory::bytes_in_use() const {
  std::size_t sum = 0;
  for (const Array& a : arrays_) sum += a.bytes;
  return sum;
}

bool SharedMemory::holds(const void* p) const {
  const auto* at = static_cast<const char*>(p);
  return at >= arena_.get() && at < arena_.get() + kArenaBytes;
}

const SharedMemory::Array& SharedMemory::array_of(const void* p) const {
  const auto at = static_cast<std::size_t>(static_cast<const char*>(p) - arena_.get());
  std::size_t i = arrays_.size() - 1;
  while (i > 0 && arrays_[i].begin > at) --i;
  return arrays_[i];
}

std::size_t SharedMemory::offset_in(const Array& array, const void* p) const {
  return static_cast<std::size_t>(static_cast<const char*>(p) - arena_.get()) - array.begin;
}

const SharedMemory::Array* SharedMemory::overrun() const {
#if !defined(TWINAGE_ASAN)  // which sees the write itself
  for (std::size_t i = 0; i < arrays_.size(); ++i) {
    const char* red = arena_.get() + arrays_[i].begin + arrays_[i].bytes;
    const char* next = arena_.get() + (i + 1 < arrays_.size() ? arrays_[i + 1].begin : end_);
    if (std::any_of(red, next, [](char c) { return c != kRed; })) return &arrays_[i];
  }
#endif
  return nullptr;
}

}  // namespace gpu
