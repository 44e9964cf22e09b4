#include "core/parallel.h"

#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include <sched.h>

namespace twinage {
namespace {

// The processors this process was given, read before any thread is pinned.
const cpu_set_t& given_processors() {
  static const cpu_set_t given = [] {
    cpu_set_t set;
    CPU_ZERO(&set);
    sched_getaffinity(0, sizeof set, &set);
    return set;
  }();
  return given;
}

// Read at start-up, on the main thread, before anything can be pinned.
[[maybe_unused]] const int kProcessorsAtStart = CPU_COUNT(&given_processors());

// Pins the calling thread to the (thread)-th processor this process was given.
void pin_this_thread(int thread) {
  static thread_local int pinned_to = -1;
  if (pinned_to == thread) return;
  const cpu_set_t& given = given_processors();
  if (thread >= CPU_COUNT(&given)) return;  // more threads than processors: the system decides
  for (int cpu = 0, seen = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &given) || seen++ != thread) continue;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    if (sched_setaffinity(0, sizeof one, &one) == 0) pinned_to = thread;
    return;
  }
}

inline void pause_a_little() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

// Returns once `value` differs from `old`. A step has hundreds of parallel loops a few microseconds
// apart, so looking for a while is cheaper than sleeping; sleeping after that leaves the processor
// to others on a busy machine, where endless looking makes everything slow.
std::uint32_t wait_for_change(const std::atomic<std::uint32_t>& value, std::uint32_t old) {
  constexpr int kLooks = 2000;  // about 30 microseconds
  for (int look = 0; look < kLooks; ++look) {
    const std::uint32_t now = value.load(std::memory_order_acquire);
    if (now != old) return now;
    pause_a_little();
  }
  for (;;) {
    value.wait(old, std::memory_order_acquire);
    const std::uint32_t now = value.load(std::memory_order_acquire);
    if (now != old) return now;
  }
}

// Threads that sleep between parallel loops. The caller of run() is thread 0.
class ThreadPool {
 public:
  ~ThreadPool() {
    body_ = nullptr;  // the sign to end
    for (auto& worker : workers_) {
      wake(*worker);
      worker->thread.join();
    }
  }

  void run(int threads, void (*body)(void* self, int thread), void* self) {
    const std::lock_guard one_loop_at_a_time(mutex_);
    // Threads are pinned when they fill the machine. With fewer, two programs would both be pinned
    // to the first processors while others idle.
    const bool pinned = threads >= hardware_threads();
    while (static_cast<int>(workers_.size()) < threads - 1) add_worker(pinned);
    body_ = body;
    self_ = self;
    finished_.store(0, std::memory_order_relaxed);
    for (int i = 0; i < threads - 1; ++i) wake(*workers_[static_cast<std::size_t>(i)]);
    if (pinned) pin_this_thread(0);
    body(self, 0);
    const auto all = static_cast<std::uint32_t>(threads - 1);
    for (std::uint32_t seen = finished_.load(std::memory_order_acquire); seen != all;)
      seen = wait_for_change(finished_, seen);
  }

 private:
  struct Worker {
    std::atomic<std::uint32_t> ticket{0};  // raised for each loop this worker takes part in
    std::thread thread;
  };

  static void wake(Worker& worker) {
    worker.ticket.fetch_add(1, std::memory_order_release);
    worker.ticket.notify_one();
  }

  void add_worker(bool pinned) {
    workers_.reserve(workers_.size() + 1);
    auto owner = std::make_unique<Worker>();
    Worker* worker = owner.get();
    const int thread = static_cast<int>(workers_.size()) + 1;
    // Where the system has no more threads, this throws, and nothing was added.
    worker->thread = std::thread([this, worker, thread, pinned] {
      if (pinned) pin_this_thread(thread);
      for (std::uint32_t ticket = 0;;) {
        ticket = wait_for_change(worker->ticket, ticket);
        if (body_ == nullptr) return;
        body_(self_, thread);
        finished_.fetch_add(1, std::memory_order_release);
        finished_.notify_one();
      }
    });
    workers_.push_back(std::move(owner));
  }

  std::mutex mutex_;
  std::vector<std::unique_ptr<Worker>> workers_;
  // Written before the tickets are raised, read after: the tickets order them.
  void (*body_)(void* self, int thread) = nullptr;
  void* self_ = nullptr;
  std::atomic<std::uint32_t> finished_{0};
};

thread_local bool inside_a_loop = false;

}  // namespace

int hardware_threads() {
  const int count = CPU_COUNT(&given_processors());
  return count > 0 ? count : 1;
}

bool detail::inside_parallel_loop() {
  return inside_a_loop;
}

void detail::run_on_threads(int threads, void (*body)(void* self, int thread), void* self) {
  static ThreadPool pool;
  struct Marked {
    void (*body)(void* self, int thread);
    void* self;
  } marked{body, self};
  pool.run(
      threads,
      [](void* p, int thread) {
        inside_a_loop = true;
        static_cast<Marked*>(p)->body(static_cast<Marked*>(p)->self, thread);
        inside_a_loop = false;
      },
      &marked);
}

void unpin_this_thread() {
  sched_setaffinity(0, sizeof(cpu_set_t), &given_processors());
}

}  // namespace twinage
