#include "core/parallel.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include "core/processors.h"

namespace twinage {
namespace {

inline void pause_a_little() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
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

using Clock = std::chrono::steady_clock;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;

// Whether another program wants the calling thread's processor. The system then gives it to each
// for some milliseconds in turn, and a thread whose turn ends in the middle of a task holds up its
// loop for the whole turn of the other: two threads are then slower than one. The remedy is to go
// before being sent: a worker that leaves at the end of a task, a little before its turn is over,
// and naps, holds up nobody, and the system, seeing that it took no more than its share, lets it
// go on as soon as the other's turn is over.
class Company {
 public:
  Company() = default;
  Company(const Company&) = delete;
  Company& operator=(const Company&) = delete;
  ~Company() {
    if (file_ >= 0) close(file_);
  }

  // Asks the system, at most once a millisecond, how long this thread was ready to run and did not.
  void look() {
    const auto now = Clock::now();
    if (now - looked_ < kInterval) return;
    looked_ = now;
    const nanoseconds before = std::exchange(waited_, time_waited());
    if (waited_ - before < kTaken) return;
    // Once is an accident (the system's own threads); twice within the memory is company.
    if (now - taken_ < kMemory) there_until_ = now + kMemory;
    taken_ = turn_began_ = now;
  }
  bool there() const { return there_until_ != Clock::time_point{} && Clock::now() < there_until_; }
  void forget() { there_until_ = taken_ = {}; }

  bool turn_is_over() const { return there() && Clock::now() - turn_began_ > kTurn; }
  void nap() {
    std::this_thread::sleep_for(kNap);
    turn_began_ = Clock::now();
  }

 private:
  // The second number of the file: nanoseconds spent waiting on a run queue. Where the system does
  // not tell, no company is ever noticed.
  nanoseconds time_waited() {
    if (file_ == kNotOpened) file_ = open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);
    char text[64];
    const ssize_t length = file_ >= 0 ? pread(file_, text, sizeof text - 1, 0) : 0;
    if (length <= 0) return waited_;
    text[length] = '\0';
    char* second = nullptr;
    std::strtoull(text, &second, 10);
    return nanoseconds(static_cast<std::int64_t>(std::strtoull(second, nullptr, 10)));
  }

  // Turns end at a tick of the system's clock, every 4 ms on Debian. Beside a busy process, 2.5 ms
  // were never worse than 1.5 or 3.5, nor this nap than one of a millisecond.
  static constexpr auto kTurn = microseconds(2500);
  static constexpr auto kNap = microseconds(50);
  static constexpr auto kInterval = milliseconds(1);
  static constexpr auto kTaken = milliseconds(1);  // the system's own threads take less at a time
  static constexpr auto kMemory = milliseconds(100);
  static constexpr int kNotOpened = -2;
  int file_ = kNotOpened;
  Clock::time_point looked_{}, taken_{}, there_until_{}, turn_began_{};
  nanoseconds waited_{0};
};
// Of a worker, its own; else nullptr. Not the thing itself: where there is no memory to note a
// thread's destructor, the C library ends the program.
thread_local Company* company = nullptr;

// Threads that sleep between parallel loops. The caller of run() is thread 0.
class ThreadPool {
 public:
  ~ThreadPool() {
    ending_.store(true, std::memory_order_relaxed);
    for (auto& worker : workers_) {
      wake(*worker);
      worker->thread.join();
    }
  }

  void run(int threads, void (*body)(void* self, int thread), void* self) {
    const std::lock_guard one_loop_at_a_time(mutex_);
    threads = std::min(threads, kMostThreads);
    // Threads are pinned when they fill the machine. With fewer, two programs would both be pinned
    // to the first processors while others idle.
    const bool pinned = threads >= hardware_threads();
    while (static_cast<int>(workers_.size()) < threads - 1) add_worker(pinned);
    body_ = body;
    self_ = self;
    loop_.store(pack({static_cast<std::uint32_t>(threads), 0}), std::memory_order_release);
    for (int i = 0; i < threads - 1; ++i) wake(*workers_[static_cast<std::size_t>(i)]);
    if (pinned) place_caller();
    body(self, 0);
    close_loop();
  }

 private:
  struct Worker {
    std::atomic<std::uint32_t> ticket{0};  // raised for each loop this worker may take part in
    std::atomic<int> processor;            // which of the given ones it is to be pinned to
    std::atomic<bool> has_company{false};
    std::thread thread;
  };

  // The loop that is open, in one word, so that joining it and its end exclude each other: whoever
  // has raised `inside` may use body_ and self_ until lowering it, and run() does not return
  // before. A worker that comes late finds the loop closed and touches nothing, or finds a later
  // one open and joins that.
  struct Loop {
    std::uint32_t threads;  // that may take part; 0: it is closed
    std::uint32_t inside;   // workers in the body
  };
  static constexpr int kMostThreads = 0xffff;
  static std::uint32_t pack(Loop l) { return l.threads << 16 | l.inside; }
  static Loop unpack(std::uint32_t word) { return {word >> 16, word & 0xffff}; }

  bool join(std::uint32_t thread) {
    for (std::uint32_t word = loop_.load(std::memory_order_relaxed);;) {
      if (thread >= unpack(word).threads) return false;
      if (loop_.compare_exchange_weak(word, word + 1, std::memory_order_acquire)) return true;
    }
  }

  // Waits for the workers in the body, not for those that never came: they may be waiting for a
  // processor that another program has.
  void close_loop() {
    std::uint32_t word = loop_.fetch_and(0xffff, std::memory_order_acquire) & 0xffff;
    while (word != 0) word = wait_for_change(loop_, word);
  }

  static void wake(Worker& worker) {
    worker.ticket.fetch_add(1, std::memory_order_release);
    worker.ticket.notify_one();
  }

  // The caller has work between the loops too, which nobody can take over: where another program
  // wants its processor and none that of a worker, the two change places.
  void place_caller() {
    if (std::exchange(caller_, std::this_thread::get_id()) != std::this_thread::get_id())
      callers_company_.emplace();
    callers_company_->look();
    if (callers_company_->there()) {
      callers_company_->forget();
      for (auto& worker : workers_) {
        if (worker->has_company.load(std::memory_order_relaxed)) continue;
        processor_ = worker->processor.exchange(processor_, std::memory_order_relaxed);
        break;
      }
    }
    pin_this_thread(processor_);
  }

  void add_worker(bool pinned) {
    workers_.reserve(workers_.size() + 1);
    auto owner = std::make_unique<Worker>();
    Worker* worker = owner.get();
    const int thread = static_cast<int>(workers_.size()) + 1;
    worker->processor = thread;
    // Where the system has no more threads, this throws, and nothing was added.
    worker->thread = std::thread([this, worker, thread, pinned] { work(*worker, thread, pinned); });
    workers_.push_back(std::move(owner));
  }

  void work(Worker& worker, int thread, bool pinned) {
    Company mine;
    company = &mine;
    for (std::uint32_t ticket = 0;;) {
      ticket = wait_for_change(worker.ticket, ticket);
      if (ending_.load(std::memory_order_relaxed)) return;
      if (pinned) pin_this_thread(worker.processor.load(std::memory_order_relaxed));
      mine.look();
      if (mine.turn_is_over()) mine.nap();
      worker.has_company.store(mine.there(), std::memory_order_relaxed);
      if (!join(static_cast<std::uint32_t>(thread))) continue;
      body_(self_, thread);
      if (loop_.fetch_sub(1, std::memory_order_release) == 1) loop_.notify_one();
    }
  }

  std::mutex mutex_;
  std::vector<std::unique_ptr<Worker>> workers_;
  int processor_ = 0;  // the caller's
  std::thread::id caller_;
  std::optional<Company> callers_company_;
  std::atomic<std::uint32_t> loop_{0};
  // Written before the loop is opened, read by those inside.
  void (*body_)(void* self, int thread) = nullptr;
  void* self_ = nullptr;
  std::atomic<bool> ending_{false};
};

thread_local bool inside_a_loop = false;

}  // namespace

bool detail::inside_parallel_loop() {
  return inside_a_loop;
}

bool detail::turn_is_over() {
  return company != nullptr && company->turn_is_over();
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

}  // namespace twinage
