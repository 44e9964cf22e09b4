// A report of what each kernel did, for readers of kernels without a GPU: with the environment
// variable TWINAGE_SIMT_REPORT=FILE, the program writes it at its end. Every build counts launches,
// blocks, threads, barriers and collectives. The build with checks sees all accesses, and adds by
// line of source
//
//   shared memory   bank conflicts: shared memory has 32 banks of 4 bytes; lanes of a warp that
//   want
//                   different words of one bank take their turns, a cycle each
//   global memory   sectors: memory moves in pieces of 32 bytes; the fewest that a warp's request
//                   could take, and what it took
//
// A request is one instruction of one warp: the n-th execution of a line's access by each lane
// since the last barrier. Lanes that take different numbers of turns through a loop are put
// together as if they ran in step.
#pragma once
#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <tuple>
#include <vector>

#include "kernels/simt/block.h"

namespace gpu {

struct Access;

// What the lanes of a warp ask for together.
struct Request {
  std::uint32_t lanes = 0;  // a bit each
  std::array<std::uintptr_t, kWarp> address{};
  std::size_t bytes = 0;  // of each lane
};

struct RequestCost {
  int worst = 0;  // shared: the most words wanted of one bank. Global: sectors
  int extra = 0;  // shared: cycles more than without conflicts. Global: sectors more than fewest
};
RequestCost shared_cost(const Request& request);
RequestCost global_cost(const Request& request);

class Profile {
 public:
  static Profile* active();  // null unless a report was asked for
  ~Profile();                // writes it

  void begin_launch(const Launch& launch);
  void end_block(const Block& block);
  void end_interval();  // a barrier or the end of the block: open requests are complete
  void count(const Block& block, const Access& access, bool shared);

 private:
  explicit Profile(std::string path) : path_(std::move(path)) {}

  struct Line {
    std::uint64_t requests = 0, lanes = 0, sum = 0, extra = 0;
    int worst = 0;
  };
  // shared, write, instruction
  using Site = std::tuple<bool, bool, const void*>;
  struct Kernel {
    std::string operation;
    std::uint64_t launches = 0, blocks = 0, threads = 0;
    BlockCounts counts;
    std::map<Site, Line> sites;
  };
  // The requests of one instruction of one warp that may still grow.
  struct Open {
    std::array<std::size_t, kWarp> executed{};
    std::vector<Request> requests;
  };
  std::string text() const;
  static std::string text_of_lines(const Kernel& kernel, bool shared);

  std::string path_;
  std::mutex mutex_;
  std::map<const void*, Kernel> kernels_;           // by address
  Kernel* kernel_ = nullptr;                        // that runs (the build with checks)
  std::map<std::pair<Site, unsigned>, Open> open_;  // by instruction and warp
};

}  // namespace gpu
