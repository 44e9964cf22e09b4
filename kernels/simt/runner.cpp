#include "kernels/simt/runner.h"

#include <cstdlib>
#include <mutex>
#include <string>

#include "core/error.h"
#include "core/parallel.h"
#include "core/simt_memory.h"
#include "kernels/simt/block.h"
#include "kernels/simt/checker.h"
#include "kernels/simt/fault.h"
#include "kernels/simt/launch_bounds.h"
#include "kernels/simt/memory_map.h"
#include "kernels/simt/profile.h"
#include "kernels/simt/stand_in.h"
#include "kernels/simt/symbolize.h"

namespace gpu {
namespace {

Options options_of_environment() {
  Options o;
  if (const char* order = std::getenv("TWINAGE_SIMT_ORDER")) {
    const std::string name = order;
    if (name == "reversed")
      o.order = Order::reversed;
    else if (name == "shuffled")
      o.order = Order::shuffled;
    else if (name != "forward")
      throw twinage::UsageError("TWINAGE_SIMT_ORDER: expected forward, reversed or shuffled, got " +
                                name);
  }
  if (const char* seed = std::getenv("TWINAGE_SIMT_SEED"))
    o.seed = static_cast<unsigned>(std::strtoul(seed, nullptr, 10));
  if (const char* copies = std::getenv("TWINAGE_SIMT_COPIES")) {
    const std::string name = copies;
    if (name != "late" && name != "eager")
      throw twinage::UsageError("TWINAGE_SIMT_COPIES: expected late or eager, got " + name);
    o.eager_copies = name == "eager";
  }
  if (const char* sums = std::getenv("TWINAGE_SIMT_SUMS")) {
    const std::string name = sums;
    if (name != "nearest" && name != "truncated")
      throw twinage::UsageError("TWINAGE_SIMT_SUMS: expected nearest or truncated, got " + name);
    o.truncated_sums = name == "truncated";
  }
  return o;
}

}  // namespace

// What every GPU from compute capability 8.0 on accepts, and what the kernel was compiled for.
void require_valid(const Launch& launch) {
  const auto [gx, gy, gz] = launch.grid;
  const auto [bx, by, bz] = launch.block;
  const std::size_t threads = std::size_t{bx} * by * bz;
  twinage::require(threads >= 1 && threads <= 1024 && bz <= 64,
                   "[{}] simt: expected a block of 1 to 1024 threads, at most 64 along z, got "
                   "({}, {}, {})",
                   launch.operation, bx, by, bz);
  const unsigned bound = launch_bound(launch.kernel);
  if (bound != 0 && threads > bound)
    twinage::fail(
        "[{}] simt: expected a block of at most {} threads, as the __launch_bounds__ of {} "
        "say, got ({}, {}, {})",
        launch.operation, bound, function_name(launch.kernel), bx, by, bz);
  twinage::require(gx >= 1 && gy >= 1 && gz >= 1 && gx <= 0x7fffffffU && gy <= 65535 && gz <= 65535,
                   "[{}] simt: expected a grid of at least 1 and at most (2147483647, 65535, "
                   "65535) blocks, got ({}, {}, {})",
                   launch.operation, gx, gy, gz);
  twinage::require(launch.dynamic_bytes <= SharedMemory::kMostBytes,
                   "[{}] simt: expected at most {} bytes of shared memory, got {}",
                   launch.operation, SharedMemory::kMostBytes, launch.dynamic_bytes);
}

Options& options() {
  static Options o = options_of_environment();
  return o;
}

void run(const Launch& launch) {
  require_valid(launch);
  // The checks keep one history of all accesses.
  static std::mutex one_at_a_time;
  std::unique_lock lock(one_at_a_time, std::defer_lock);
  if constexpr (kChecking) {
    lock.lock();
    checker().begin_launch();
  }
  if (Profile* profile = Profile::active()) profile->begin_launch(launch);

  const twinage::simt_memory::Access access;
  const auto blocks = std::size_t{launch.grid.x} * launch.grid.y * launch.grid.z;
  FaultList faults;
  twinage::parallel_for(kChecking ? 1 : launch.host_threads, static_cast<twinage::Index>(blocks),
                        [&](twinage::Index task, int) {
                          const auto number = static_cast<std::size_t>(task);
                          if (!faults.before(number)) Block::current().run(launch, number, faults);
                        });
  faults.throw_if_any(launch.operation, blocks);
}

// ---- The calls from kernels. Each leaves kernel code for the time of the call.

void barrier(Place place) {
  const InRunner scope;
  Block::current().barrier(place);
}

void collective(std::uint32_t mask, const char* operation, void* offer, Complete complete,
                Place place) {
  const InRunner scope;
  Block::current().collective(mask, operation, offer, complete, place);
}

unsigned lane() {
  return Block::current().thread().number % kWarp;
}

void* shared_array(const void* key, const char* name, std::size_t bytes, Place place) {
  const InRunner scope;
  return Block::current().shared_array(key, name, bytes, place);
}

void* dynamic_shared_memory() {
  return Block::current().shared().dynamic();
}

void copy_async(void* to, const void* from, std::size_t bytes, std::size_t zeros) {
  const InRunner scope;
  Block& block = Block::current();
  const AsyncCopy copy{static_cast<char*>(to), static_cast<const char*>(from), bytes, zeros,
                       __builtin_return_address(0)};
  const auto multiple = [bytes](const void* p) {
    return reinterpret_cast<std::uintptr_t>(p) % bytes == 0;
  };
  const char* wrong = nullptr;
  if ((bytes != 4 && bytes != 8 && bytes != 16) || zeros > bytes)
    wrong = "asynchronous copy of other than 4, 8 or 16 bytes";
  else if (!multiple(to) || (zeros < bytes && !multiple(from)))
    wrong = "asynchronous copy from or to an address that is not a multiple of its size";
  else if (!block.shared().holds(to))
    wrong = "asynchronous copy to memory that is not shared";
  else if (zeros < bytes && !reached_by_kernels(from, bytes - zeros))
    wrong = "asynchronous copy from memory that is not the device's";
  if (wrong != nullptr) {
    block.fault({wrong, "", 0, copy.pc, block.name_of_running()});
    block.stop();
  }
  if constexpr (kChecking) checker().copy_issued(block, copy);
  if (options().eager_copies) copy.perform();
  block.thread().copies.issue(copy);
}

void commit_copies() {
  const InRunner scope;
  Block::current().thread().copies.commit();
}

void wait_for_copies(unsigned all_but_last) {
  const InRunner scope;
  Block& block = Block::current();
  for (const AsyncCopy& copy : block.thread().copies.take_all_but(all_but_last)) {
    if constexpr (kChecking) checker().copy_done(block, copy);
    if (!options().eager_copies) copy.perform();
  }
}

void misaligned(const void* p, std::size_t bytes) {
  const InRunner scope;
  misaligned_at(p, bytes, __builtin_return_address(0));
}

void misaligned_at(const void* p, std::size_t bytes, const void* pc) {
  Block& block = Block::current();
  block.fault({fmt::format("misaligned access: an address {} bytes past a multiple of {}",
                           reinterpret_cast<std::uintptr_t>(p) % bytes, bytes),
               "", 0, pc, block.name_of_running()});
  block.stop();
}

}  // namespace gpu
