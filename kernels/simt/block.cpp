#include "kernels/simt/block.h"

#include <algorithm>
#include <numeric>

#include "core/error.h"
#include "kernels/simt/checker.h"
#include "kernels/simt/host_dialect.h"
#include "kernels/simt/profile.h"

namespace gpu {
namespace {

thread_local Block* kernel_of = nullptr;

uint3 block_index(dim3 grid, std::size_t number) {
  return {static_cast<unsigned>(number % grid.x), static_cast<unsigned>(number / grid.x % grid.y),
          static_cast<unsigned>(number / grid.x / grid.y)};
}

}  // namespace

Block& Block::current() {
  static thread_local Block block;
  return block;
}

Block* Block::in_kernel() {
  return kernel_of;
}

InRunner::InRunner() {
  kernel_of = nullptr;
}

InRunner::~InRunner() {
  kernel_of = &Block::current();
}

// 1. begin and end

void Block::run(const Launch& launch, std::size_t number, FaultList& faults) {
  begin(launch, number, faults);
  while (finished_ < threads_.size() && !stopped_) {
    Fiber* next = next_fiber();
    if (next == &host_) {  // threads are left, and none can run
      tell_deadlock();
      break;
    }
    switch_to(next);
  }
  end();
}

// The threads of a block of this shape, and an order to start them in.
void Block::shape_threads() {
  const dim3 block = launch_->block;
  if (block.x != shape_.x || block.y != shape_.y || block.z != shape_.z) {
    shape_ = block;
    threads_.assign(std::size_t{block.x} * block.y * block.z, Thread{});
    for (unsigned i = 0; i < threads_.size(); ++i) {
      threads_[i].index = {i % block.x, i / block.x % block.y, i / (block.x * block.y)};
      threads_[i].number = i;
    }
    warps_.resize((threads_.size() + kWarp - 1) / kWarp);
    order_.resize(threads_.size());
  }
  std::iota(order_.begin(), order_.end(), 0U);
  random_.seed(options().seed + static_cast<unsigned>(number_));
  if (options().order == Order::reversed) std::reverse(order_.begin(), order_.end());
  if (options().order == Order::shuffled) std::shuffle(order_.begin(), order_.end(), random_);
}

void Block::begin(const Launch& launch, std::size_t number, FaultList& faults) {
  launch_ = &launch;
  faults_ = &faults;
  number_ = number;
  stopped_ = false;
  blockDim = launch.block;
  gridDim = launch.grid;
  blockIdx = block_index(launch.grid, number);
  shape_threads();
  std::fill(warps_.begin(), warps_.end(), Warp{});
  if (threads_.size() % kWarp != 0) warps_.back().finished = ~0U << (threads_.size() % kWarp);
  for (Thread& t : threads_) t.state = State::not_started;
  started_ = finished_ = at_barrier_ = next_ready_ = 0;
  ready_.clear();
  counts_ = {};
  shared_.begin_block(launch.dynamic_bytes);
  if constexpr (kChecking) checker().begin_block(*this);
}

void Block::end() {
  if (finished_ < threads_.size()) {  // stopped or stuck: what is left on the stacks is given up
    idle_.clear();
    for (const auto& fiber : fibers_) {
      fiber->restart();
      idle_.push_back(fiber.get());
    }
    for (Thread& t : threads_) t.copies.clear();
  } else if (const SharedMemory::Array* array = shared_.overrun()) {
    fault({"write past the end (the build with checks says where)", array->text(), array->bytes,
           Where(), name_of_block(number_)});
  }
  if (Profile* profile = Profile::active()) profile->end_block(*this);
}

// 2. threads take turns

void Block::fiber_main() {
  Fiber::entered();
  Block& block = current();
  for (;;) {
    // A thread that never waits leaves its fiber to the next one: no switch at all.
    while (block.started_ < block.threads_.size()) {
      Thread& t = block.threads_[block.order_[block.started_++]];
      block.thread_ = &t;
      threadIdx = t.index;
      t.state = State::runnable;
      kernel_of = &block;
      block.launch_->body(block.launch_->call);
      kernel_of = nullptr;
      block.finish(t);
    }
    block.idle_.push_back(block.fiber_);
    block.switch_to(block.next_fiber());
  }
}

Fiber* Block::next_fiber() {
  if (next_ready_ < ready_.size()) {
    thread_ = ready_[next_ready_++];
    if (next_ready_ == ready_.size()) {
      ready_.clear();
      next_ready_ = 0;
    }
    threadIdx = thread_->index;
    return thread_->fiber;
  }
  if (started_ == threads_.size()) return &host_;
  if (idle_.empty()) {
    fibers_.push_back(std::make_unique<Fiber>(fiber_main, static_cast<unsigned>(fibers_.size())));
    return fibers_.back().get();
  }
  Fiber* fiber = idle_.back();
  idle_.pop_back();
  return fiber;
}

void Block::switch_to(Fiber* to) {
  if (to == fiber_) return;
  Fiber* from = fiber_;
  fiber_ = to;
  ++counts_.switches;
  Fiber::switch_over(*from, *to);
}

void Block::arrive(State state, const char* operation, Place place) {
  thread_->state = state;
  thread_->operation = operation;
  thread_->place = place;
}

void Block::wait_for_turn() {
  thread_->fiber = fiber_;
  switch_to(next_fiber());
}

// In forward order the last thread to arrive simply goes on.
bool Block::must_wait(const Thread& t) const {
  return t.state != State::runnable || options().order != Order::forward;
}

void Block::release(std::vector<Thread*>& group) {
  if (options().order == Order::reversed) std::reverse(group.begin(), group.end());
  if (options().order == Order::shuffled) std::shuffle(group.begin(), group.end(), random_);
  for (Thread* t : group) {
    t->state = State::runnable;
    if (t != thread_ || must_wait(*t)) ready_.push_back(t);
  }
}

void Block::finish(Thread& t) {
  if (!t.copies.empty()) {
    fault({"copy that is never waited for", "", 0, t.copies.oldest().pc, name_of_running()});
    t.copies.clear();
  }
  t.state = State::finished;
  if (finished_++ == 0) first_finished_ = t.number;
  const unsigned w = t.number / kWarp;
  Warp& warp = warps_[w];
  warp.finished |= 1U << (t.number % kWarp);
  // Those who wait for it in a collective need not wait any longer.
  for (unsigned l = 0; l < kWarp; ++l)
    if ((warp.waiting >> l) & 1U) try_complete(w, threads_[w * kWarp + l].mask);
  if (at_barrier_ == 0) return;
  returned_early(name_of_running());
  if (at_barrier_ == threads_.size() - finished_) release_barrier();  // as the hardware does
}

void Block::stop() {
  stopped_ = true;
  switch_to(&host_);
  __builtin_unreachable();  // nobody switches back: end() restarts the fibers
}

// 3. names

void Block::fault(Fault f) {
  faults_->add(number_, std::move(f));
}

std::string Block::name_of_block(std::size_t number) const {
  const uint3 i = block_index(launch_->grid, number);
  return fmt::format("block ({},{},{})", i.x, i.y, i.z);
}

std::string Block::name_of(unsigned thread) const {
  const uint3 i = threads_[thread].index;
  return fmt::format("thread ({},{},{})", i.x, i.y, i.z);
}

std::string Block::full_name_of(unsigned thread) const {
  return name_of_block(number_) + " " + name_of(thread);
}

}  // namespace gpu
