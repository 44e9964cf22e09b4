// Where the threads of a block meet: barriers, collectives of a warp, shared arrays.
#include <bit>
#include <cstring>
#include <map>

#include "core/error.h"
#include "kernels/simt/block.h"
#include "kernels/simt/checker.h"
#include "kernels/simt/profile.h"

namespace gpu {
namespace {

// Who shuffles or multiplies with a lane that is not there gets what CUDA leaves undefined. Votes
// and __syncwarp go on without.
bool needs_all(const char* operation) {
  return std::strcmp(operation, "__syncwarp") != 0 && std::strcmp(operation, "__ballot_sync") != 0;
}

}  // namespace

// 1. the barrier of the block

void Block::barrier(Place place) {
  arrive(State::at_barrier, "__syncthreads", place);
  if (at_barrier_++ == 0) {
    barrier_place_ = place;
    if (finished_ > 0) returned_early(full_name_of(first_finished_));
  } else if (place.line != barrier_place_.line ||
             std::strcmp(place.file, barrier_place_.file) != 0) {
    fault({"divergent barrier", "", 0, place, name_of_running(), "threads that wait",
           barrier_place_});
  }
  if (at_barrier_ == threads_.size() - finished_) release_barrier();
  if (must_wait(*thread_)) wait_for_turn();
}

void Block::release_barrier() {
  at_barrier_ = 0;
  ++counts_.barriers;
  if constexpr (kChecking) checker().end_interval();
  if (Profile* profile = Profile::active()) profile->end_interval();
  group_.clear();
  for (Thread& t : threads_)
    if (t.state == State::at_barrier) group_.push_back(&t);
  release(group_);
}

void Block::returned_early(std::string who) {
  fault({"barrier that not all threads of the block reach, because some have returned", "", 0,
         barrier_place_, std::move(who)});
}

// 2. collectives of a warp

void Block::collective(std::uint32_t mask, const char* operation, void* offer, Complete complete,
                       Place place) {
  Thread& t = *thread_;
  const std::uint32_t me = 1U << (t.number % kWarp);
  if ((mask & me) == 0)
    fault({fmt::format("{} by a lane that its mask {:#x} leaves out", operation, mask), "", 0,
           place, name_of_running()});
  arrive(State::in_collective, operation, place);
  t.mask = mask;
  t.offer = offer;
  t.complete = complete;
  warp_of(t).waiting |= me;
  try_complete(t.number / kWarp, mask);
  if (must_wait(t)) wait_for_turn();
}

// Acts once every lane of the mask that has not returned is there. Lanes that came with another
// mask or to another operation never meet: the deadlock says where each waits.
void Block::try_complete(unsigned warp_number, std::uint32_t mask) {
  Warp& warp = warps_[warp_number];
  const std::uint32_t lanes = mask & ~warp.finished;
  if (lanes == 0 || (warp.waiting & lanes) != lanes) return;
  Thread* const lane0 = &threads_[warp_number * kWarp];
  const Thread& first = lane0[std::countr_zero(lanes)];
  void* offers[kWarp] = {};
  group_.clear();
  for (unsigned l = 0; l < kWarp; ++l) {
    if (((lanes >> l) & 1U) == 0) continue;
    Thread& t = lane0[l];
    if (t.mask != mask || std::strcmp(t.operation, first.operation) != 0) return;
    offers[l] = t.offer;
    group_.push_back(&t);
  }
  if (const std::uint32_t gone = mask & warp.finished; gone != 0 && needs_all(first.operation))
    fault({fmt::format("{} with mask {:#x}, whose lanes {:#x} have returned or never were",
                       first.operation, mask, gone),
           "", 0, first.place, full_name_of(first.number)});
  if (first.complete != nullptr) first.complete(offers, lanes);
  ++counts_.collectives;
  // Only __syncwarp orders accesses to memory; shuffles, votes and wmma do not.
  if (std::strcmp(first.operation, "__syncwarp") == 0) ++warp.syncs;
  warp.waiting &= ~lanes;
  release(group_);
}

// 3. threads that wait for ever

void Block::tell_deadlock() {
  struct Waiting {
    int count = 0;
    unsigned first = 0;
    Where where;
  };
  std::map<std::string, Waiting> places;
  for (const Thread& t : threads_) {
    if (t.state == State::finished) continue;
    Waiting& w = places[fmt::format("{} {}:{} {:#x}", t.operation, t.place.file, t.place.line,
                                    t.state == State::in_collective ? t.mask : 0)];
    if (w.count++ == 0) w.first = t.number, w.where = t.place;
  }
  for (const auto& [name, w] : places) {
    const Thread& t = threads_[w.first];
    std::string kind =
        fmt::format("deadlock: {} of {} threads wait in {}", w.count, threads_.size(), t.operation);
    if (t.state == State::in_collective) kind += fmt::format(" with mask {:#x}", t.mask);
    fault({std::move(kind), "", 0, w.where, full_name_of(w.first)});
  }
}

// 4. shared arrays

void* Block::shared_array(const void* key, const char* name, std::size_t bytes, Place place) {
  if (void* p = shared_.find(key)) return p;
  if (void* p = shared_.create(key, name, bytes)) return p;
  fault({fmt::format("{} bytes of shared memory in use and {} more for array {}: a block has {}, "
                     "of which arrays of fixed size may take {}",
                     shared_.bytes_in_use(), bytes, name, SharedMemory::kMostBytes,
                     SharedMemory::kMostFixedBytes),
         "", 0, place, name_of_running()});
  stop();
}

}  // namespace gpu
