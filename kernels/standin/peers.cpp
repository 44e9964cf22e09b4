#include "kernels/standin/peers.h"

#include <algorithm>
#include <chrono>
#include <cstring>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/error.h"

namespace standin {

using twinage::require;

Peers::Peers(const std::string& name, int rank, int size) : rank_(rank), size_(size), name_(name) {
  require(size >= 1 && size <= 64 && rank >= 0 && rank < size,
          "[standin] expected a rank of at most 64, got {} of {}", rank, size);
  const int file = ::shm_open(name_.c_str(), O_CREAT | O_RDWR, 0600);
  require(file >= 0 && ::ftruncate(file, static_cast<off_t>(bytes())) == 0,
          "[standin] no memory to share with other processes: {}", std::strerror(errno));
  void* mapped = ::mmap(nullptr, bytes(), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  ::close(file);
  require(mapped != MAP_FAILED, "[standin] no memory to share: {}", std::strerror(errno));
  memory_ = static_cast<char*>(mapped);  // of zeros
  auto& here = reinterpret_cast<Header*>(memory_)->here;
  ++here;
  const auto start = std::chrono::steady_clock::now();
  while (here < size_) {
    ::usleep(200);
    require(std::chrono::steady_clock::now() - start < std::chrono::minutes(1),
            "[standin] {} of {} ranks came to ncclCommInitRank within a minute", here.load(),
            size_);
  }
  if (rank_ == 0) ::shm_unlink(name_.c_str());
}

Peers::~Peers() {
  ::munmap(memory_, bytes());
}

std::size_t Peers::bytes() const {
  const auto pairs = static_cast<std::size_t>(size_ * size_);
  return sizeof(Header) + pairs * sizeof(Ring);
}

Peers::Ring& Peers::ring(int from, int to) const {
  return reinterpret_cast<Ring*>(memory_ + sizeof(Header))[from * size_ + to];
}

std::size_t Peers::send_some(int to, const void* bytes, std::size_t count) {
  Ring& r = ring(rank_, to);
  const std::uint64_t written = r.written.load(std::memory_order_relaxed);
  const std::uint64_t room = kRing - (written - r.read.load(std::memory_order_acquire));
  const std::size_t now = std::min<std::size_t>(count, room), at = written % kRing;
  const std::size_t first = std::min(now, kRing - at);
  std::memcpy(r.bytes + at, bytes, first);
  std::memcpy(r.bytes, static_cast<const char*>(bytes) + first, now - first);
  r.written.store(written + now, std::memory_order_release);
  return now;
}

std::size_t Peers::receive_some(int from, void* bytes, std::size_t count) {
  Ring& r = ring(from, rank_);
  const std::uint64_t read = r.read.load(std::memory_order_relaxed);
  const std::uint64_t there = r.written.load(std::memory_order_acquire) - read;
  const std::size_t now = std::min<std::size_t>(count, there), at = read % kRing;
  const std::size_t first = std::min(now, kRing - at);
  std::memcpy(bytes, r.bytes + at, first);
  std::memcpy(static_cast<char*>(bytes) + first, r.bytes, now - first);
  r.read.store(read + now, std::memory_order_release);
  return now;
}

std::uint64_t Peers::wanted() const {
  return reinterpret_cast<Header*>(memory_)->wanted[rank_];
}

void Peers::want(int of, std::uint64_t operations) {
  auto& wanted = reinterpret_cast<Header*>(memory_)->wanted[of];
  std::uint64_t seen = wanted;
  while (seen < operations && !wanted.compare_exchange_weak(seen, operations)) {
  }
}

}  // namespace standin
