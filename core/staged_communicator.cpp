#include "core/staged_communicator.h"

#include <algorithm>

#include "core/device_memory.h"

namespace twinage {

void StagedRanks::gather(void* all, std::span<const std::size_t> bytes) {
  Bytes staged(bytes_before(bytes, bytes.size()));
  const auto mine = static_cast<std::size_t>(rank());
  const std::size_t before = bytes_before(bytes, mine);
  copy_bytes(staged.data() + before, Device::cpu, static_cast<std::byte*>(all) + before, device_,
             bytes[mine]);
  host_.gather(staged.data(), bytes);
  copy_bytes(all, device_, staged.data(), Device::cpu, staged.size());
}

int StagedRanks::begin_exchange(void* to, const void* from, std::span<const std::size_t> sizes) {
  Exchange& e = begun_.emplace_back();
  e.sent.resize(bytes_before(sizes, sizes.size()));
  e.received.resize(sizes.size() * sizes[static_cast<std::size_t>(rank())]);
  e.to = to;
  copy_bytes(e.sent.data(), Device::cpu, from, device_, e.sent.size());
  e.begun = host_.begin_exchange(e.received.data(), e.sent.data(), sizes);
  return static_cast<int>(begun_.size()) - 1;
}

void StagedRanks::finish(int begun) {
  Exchange& e = begun_[static_cast<std::size_t>(begun)];
  host_.finish(e.begun);
  copy_bytes(e.to, device_, e.received.data(), Device::cpu, e.received.size());
  e.over = true;
  if (std::ranges::all_of(begun_, &Exchange::over)) begun_.clear();
}

void StagedRanks::broadcast(void* data, std::size_t bytes) {
  Bytes staged(bytes);
  if (rank() == 0) copy_bytes(staged.data(), Device::cpu, data, device_, bytes);
  host_.broadcast(staged.data(), bytes);
  copy_bytes(data, device_, staged.data(), Device::cpu, bytes);
}

}  // namespace twinage
