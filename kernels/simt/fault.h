// What the runner finds wrong with a kernel, and the one line that says so:
//
//   [conv2d] simt: race (write after read) on shared array tile +128 at conv2d_cuda.cu:77 by block
//   (0,0,0) thread (37,0,0), conflicts with thread (5,0,0) at conv2d_cuda.cu:91
#pragma once
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <mutex>
#include <string>
#include <vector>

#include "kernels/simt/runner.h"

namespace gpu {

// A place in a kernel: given by the source itself, or as the address of an instruction, which is
// translated only when somebody reads it (symbolize.h).
struct Where {
  const void* pc = nullptr;
  Place place{nullptr, 0};

  Where() = default;
  Where(const void* instruction) : pc(instruction) {}
  Where(Place p) : place(p) {}
  bool operator==(const Where& other) const {
    return pc == other.pc && place.file == other.place.file && place.line == other.place.line;
  }
};

struct Fault {
  std::string kind;        // "race (write after read)"
  std::string object;      // "shared array tile"; may be empty
  std::size_t offset = 0;  // bytes into the object
  Where where;
  std::string who;         // "block (0,0,0) thread (37,0,0)"
  std::string other = {};  // who it conflicts with; may be empty
  Where other_where = {};
  std::uint64_t repeats = 0;  // the same between the same two places, for other elements or threads
};

// The faults of one launch. Blocks start in the order of their numbers; none starts after one with
// a smaller number has a fault, and only the first such block's faults are told: the same for any
// number of host threads.
class FaultList {
 public:
  void add(std::size_t block, Fault fault);
  bool before(std::size_t block) const { return first_block_.load() < block; }
  // Throws Error.
  void throw_if_any(const char* operation, std::size_t blocks);

 private:
  std::mutex mutex_;
  std::atomic<std::size_t> first_block_{std::numeric_limits<std::size_t>::max()};
  std::vector<Fault> faults_;  // of first_block_
};

}  // namespace gpu
