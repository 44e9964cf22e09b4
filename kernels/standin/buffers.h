// What cudaMalloc and cudaMallocHost gave out, and which work may still be using it.
#pragma once
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "kernels/standin/clock.h"

namespace standin {

struct Work;

struct Range {
  std::uintptr_t begin = 0;
  std::size_t bytes = 0;
  bool covers(const Range& r) const {
    return begin <= r.begin && begin + bytes >= r.begin + r.bytes;
  }
  bool overlaps(const Range& r) const {
    return begin < r.begin + r.bytes && r.begin < begin + bytes;
  }
};

// A piece of work that may not be done yet, as far as the host knows, and its part of a buffer.
struct Use {
  Range range;
  bool writes;
  unsigned stream;
  std::uint64_t number;  // of the stream's work
  std::shared_ptr<const Work> work;
};

struct Buffer {
  unsigned number;  // in the order of allocation, from 1: its name in every fault
  Range range;
  bool pinned;  // page-locked memory of the host; else the device's
  std::vector<Use> uses;
  int protection = 0;  // what the host may do with pinned memory at this moment: mprotect's flags

  std::string name() const;  // "buffer 7 (1024 bytes of the device)"
};

class Buffers {
 public:
  // Device memory is undefined (NaN in every float), as CUDA's is. Null when there is no more.
  Buffer* allocate(std::size_t bytes, bool pinned);
  void free(Buffer* buffer);

  Buffer* holding(const void* p);  // null when p is in none; the end of a buffer is not in it
  Buffer* numbered(unsigned number);
  // Why p is in no buffer: "in buffer 7, which was freed", "of the host", "past all buffers".
  std::string text(const void* p) const;
  bool mapped_on_host(const void* p) const;  // of pageable memory, as far as the system knows
  std::size_t bytes_on_device() const { return bytes_on_device_; }

  // Forgets the uses that the clock holds, and opens pinned memory that nobody uses any more.
  void finish(const Clock& clock);
  void protect(Buffer& buffer) const;       // as its uses demand
  void open(const std::vector<unsigned>&);  // for the work itself, until protect()

  std::map<std::uintptr_t, Buffer>& all() { return buffers_; }

 private:
  struct Freed {
    unsigned number;
    Range range;
    bool pinned;
  };
  void give_back(const Freed& freed);

  std::map<std::uintptr_t, Buffer> buffers_;  // by their first address
  std::map<unsigned, std::uintptr_t> begin_of_;
  std::vector<Freed> freed_;
  std::deque<Freed> quarantine_;  // not given out again for a while: who uses them is found
  std::size_t quarantined_ = 0, bytes_on_device_ = 0;
  unsigned count_ = 0;
};

}  // namespace standin
