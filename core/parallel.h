// Parallel loops whose results do not depend on the number of threads.
//
// The caller cuts the work into tasks in a way that does not look at the number of threads; each
// task writes memory of its own; sums over tasks are formed afterwards in the order of the tasks.
#pragma once
#include <atomic>
#include <exception>

#include "core/processors.h"
#include "core/shape.h"

namespace twinage {

namespace detail {
// Runs body(self, 0) here and body(self, thread) on up to `threads` - 1 others, each pinned to a
// processor of its own (unpinned, two threads often share one: half the speed), and waits for those
// that have begun: a thread whose processor another program has just now is not waited for.
void run_on_threads(int threads, void (*body)(void* self, int thread), void* self);
// Whether the calling worker should leave its loop at the end of this task, to let another program
// have the processor before the system takes it away in the middle of the next (parallel.cpp).
bool turn_is_over();
bool inside_parallel_loop();  // whether the calling thread is in the body of one
}  // namespace detail

// Calls f(task, thread) once for every task in [0, tasks); thread < threads names the scratch
// memory that f may use. Tasks start in increasing order, on whichever thread is free. The first
// exception that a task throws is rethrown here. A loop within a task runs on that task's thread.
template <class F>
void parallel_for(int threads, Index tasks, F&& f) {
  if (threads <= 1 || tasks <= 1 || detail::inside_parallel_loop()) {
    for (Index task = 0; task < tasks; ++task) f(task, 0);
    return;
  }
  struct Shared {
    F& f;
    Index tasks;
    std::atomic<Index> next{0};
    std::atomic_flag failed = ATOMIC_FLAG_INIT;
    std::exception_ptr error = nullptr;
  } shared{f, tasks};
  detail::run_on_threads(
      threads,
      [](void* self, int thread) {
        auto& s = *static_cast<Shared*>(self);
        try {
          while (thread == 0 || !detail::turn_is_over()) {
            const Index task = s.next++;
            if (task >= s.tasks) return;
            s.f(task, thread);
          }
        } catch (...) {
          if (!s.failed.test_and_set()) s.error = std::current_exception();
          s.next = s.tasks;
        }
      },
      &shared);
  if (shared.error) std::rethrow_exception(shared.error);
}

}  // namespace twinage
