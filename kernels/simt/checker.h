// The build with checks (cmake --preset simt-check): the kernels' objects call __tsan_read4 and its
// like before every access (tsan_interface.cpp), and each call ends up here. Found are, with file
// and line of both sides,
//
//   races                 two accesses of one place, one of them a write, that no barrier orders:
//                         of one block, or of two blocks of one launch
//   asynchronous copies   accesses of a place while a copy into it is under way
//   bounds                past the end of a shared array or of a block of device memory
//   host memory           what is neither the device's, nor shared, nor the thread's own
//   uninitialised reads   of shared memory, and of device memory that was handed out as undefined:
//                         that of a workspace. (All other device memory is zero at the start, and
//                         tests write to it directly, unseen.)
//
// Order within a warp comes from __syncwarp only. A __syncwarp of a part of a warp is taken to
// order all of it: the one simplification, which can hide a race but makes none up.
#pragma once
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "kernels/simt/block.h"
#include "kernels/simt/shadow.h"

namespace gpu {

struct Access {
  const void* p;
  std::size_t bytes;
  AccessKind kind;
  const void* pc;
  Counted counted = Counted::yes;
};

class Checker {
 public:
  void begin_launch();
  void begin_block(const Block& block);
  void end_interval();  // a barrier was passed

  // Before the access happens. Does not return after a fault that would end a kernel on a GPU.
  void access(Block& block, const Access& access);
  void copy_issued(Block& block, const AsyncCopy& copy);
  void copy_done(Block& block, const AsyncCopy& copy);

  // What the memory of the device tells: core/simt_memory.h.
  void freed(std::uintptr_t begin);
  void host_wrote(const void* p, std::size_t bytes);
  void handed_out_undefined(const void* p, std::size_t bytes);

 private:
  // The array or the block of device memory that an access is to.
  struct Target {
    Shadow* shadow = nullptr;                    // null: the thread's own memory, or a constant
    const SharedMemory::Array* array = nullptr;  // null: device memory
    std::size_t bytes = 0, offset = 0;
    std::string name() const;
  };
  Target find(Block& block, const Access& access);
  Target find_shared(Block& block, const Access& access);
  Target find_on_device(Block& block, const Access& access);
  void set_undefined(const void* p, std::size_t bytes, bool undefined);

  // What is wrong with an access to this cell, in the words of Fault::kind, and what it conflicts
  // with; null when nothing is.
  const char* judge(Block& block, const Cell& cell, AccessKind kind, const Past** other) const;
  bool unordered(Block& block, const Past& past) const;
  void record(Block& block, Cell& cell, const Access& access) const;
  void record_read(Block& block, Past& past) const;
  std::string name_of(const Block& block, const Past& past) const;

  [[noreturn]] void stop_at(Block& block, const Access& access, std::string kind,
                            std::string object, std::size_t offset);

  std::uint32_t epoch_ = 0;         // now
  std::uint32_t launch_epoch_ = 0;  // the first of this launch
  struct Started {
    std::uint32_t epoch;
    std::size_t block;
  };
  std::vector<Started> blocks_;           // of this launch, in the order they ran
  std::map<std::size_t, Shadow> shared_;  // by the array's place in the arena

  struct DeviceMemory {
    std::size_t bytes;
    Shadow shadow;
  };
  // The block of memory that holds p; null when none does. With the mutex locked.
  DeviceMemory* device_memory(const void* p, std::uintptr_t* begin);
  std::mutex mutex_;  // kernels run one after another, but copies may run beside them
  std::map<std::uintptr_t, DeviceMemory> device_;  // by its first address, from the first use on
};

// There is one: where accesses are checked, blocks run one after another.
Checker& checker();

}  // namespace gpu
