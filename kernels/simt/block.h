// One block of threads in the middle of running: what the functions of runner.h work on. Each host
// thread has one Block, which runs one block of the grid after another.
#pragma once
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "kernels/simt/async_copies.h"
#include "kernels/simt/fault.h"
#include "kernels/simt/fiber.h"
#include "kernels/simt/runner.h"
#include "kernels/simt/shared_memory.h"

namespace gpu {

inline constexpr unsigned kWarp = 32;

enum class State : std::uint8_t { not_started, runnable, at_barrier, in_collective, finished };

struct Thread {
  uint3 index{};        // threadIdx
  unsigned number = 0;  // within the block, x fastest
  State state = State::not_started;
  Fiber* fiber = nullptr;  // where it waits
  // The barrier or collective that it came to last.
  const char* operation = "";
  Place place{"", 0};
  std::uint32_t mask = 0;
  void* offer = nullptr;
  Complete complete = nullptr;
  AsyncCopies copies;
};

struct Warp {
  std::uint32_t finished = 0, waiting = 0;  // a bit a lane
  std::uint32_t syncs = 0;                  // how many __syncwarp it has passed
};

// What a report counts.
struct BlockCounts {
  std::uint64_t barriers = 0, collectives = 0, switches = 0;
};

class Block {
 public:
  Block() = default;
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;

  // The calling host thread's.
  static Block& current();
  // The one whose kernel code runs on this host thread at this moment; null within the runner. The
  // checks look only at what kernel code does.
  static Block* in_kernel();

  void run(const Launch& launch, std::size_t number, FaultList& faults);

  // From kernel code, on the fiber of thread().
  void barrier(Place place);
  void collective(std::uint32_t mask, const char* operation, void* offer, Complete complete,
                  Place place);
  void* shared_array(const void* key, const char* name, std::size_t bytes, Place place);

  void fault(Fault f);
  [[noreturn]] void stop();  // gives up the block: after the last fault nothing would make sense

  const Launch& launch() const { return *launch_; }
  std::size_t number() const { return number_; }
  Thread& thread() { return *thread_; }
  const Thread& thread() const { return *thread_; }
  Warp& warp_of(const Thread& t) { return warps_[t.number / kWarp]; }
  SharedMemory& shared() { return shared_; }
  const BlockCounts& counts() const { return counts_; }
  bool on_own_stack(const void* p) const { return fiber_->holds(p); }
  std::string name_of_block(std::size_t number) const;  // "block (0,0,0)"
  std::string name_of(unsigned thread) const;           // "thread (37,0,0)"
  std::string full_name_of(unsigned thread) const;      // "block (0,0,0) thread (37,0,0)"
  std::string name_of_running() const { return full_name_of(thread_->number); }

 private:
  static void fiber_main();

  void begin(const Launch& launch, std::size_t number, FaultList& faults);
  void shape_threads();
  void finish(Thread& t);
  void end();

  Fiber* next_fiber();  // of the thread to run next, which becomes thread(); host_ if there is none
  void switch_to(Fiber* to);
  void arrive(State state, const char* operation, Place place);
  void wait_for_turn();
  void release(std::vector<Thread*>& group);
  bool must_wait(const Thread& t) const;

  void release_barrier();
  void returned_early(std::string who);
  void try_complete(unsigned warp, std::uint32_t mask);
  void tell_deadlock();

  const Launch* launch_ = nullptr;
  FaultList* faults_ = nullptr;
  std::size_t number_ = 0;  // of the block in the grid
  dim3 shape_{0, 0, 0};     // of the block
  bool stopped_ = false;

  std::vector<Thread> threads_;
  std::vector<Warp> warps_;
  std::vector<unsigned> order_;  // in which threads start
  std::size_t started_ = 0, finished_ = 0, at_barrier_ = 0;
  unsigned first_finished_ = 0;
  Place barrier_place_{"", 0};
  std::vector<Thread*> ready_;  // threads that waited and may go on, from next_ready_
  std::size_t next_ready_ = 0;
  std::vector<Thread*> group_;  // scratch of release
  std::mt19937 random_;

  Fiber host_;
  std::vector<std::unique_ptr<Fiber>> fibers_;
  std::vector<Fiber*> idle_;
  Fiber* fiber_ = &host_;
  Thread* thread_ = nullptr;
  SharedMemory shared_;
  BlockCounts counts_;
};

// For the time of a call from a kernel into the runner: what happens meanwhile is not the kernel's.
class InRunner {
 public:
  InRunner();
  ~InRunner();
  InRunner(const InRunner&) = delete;
  InRunner& operator=(const InRunner&) = delete;
};

[[noreturn]] void misaligned_at(const void* p, std::size_t bytes, const void* pc);

}  // namespace gpu
