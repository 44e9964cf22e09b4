#include "core/parallel.h"

#include <omp.h>
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

// Pins the calling thread to the (thread)-th processor this process was given.
void pin_this_thread(int thread) {
  static thread_local int pinned_to = -1;
  if (pinned_to == thread) return;
  const cpu_set_t& given = given_processors();
  const int count = CPU_COUNT(&given);
  if (count == 0 || thread >= count) return;  // more threads than processors: the system decides
  for (int cpu = 0, seen = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &given) || seen++ != thread) continue;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    if (sched_setaffinity(0, sizeof one, &one) == 0) pinned_to = thread;
    return;
  }
}

// Read at start-up, on the main thread, before anything can be pinned.
[[maybe_unused]] const int kProcessorsAtStart = CPU_COUNT(&given_processors());

}  // namespace

int hardware_threads() {
  const int count = CPU_COUNT(&given_processors());
  return count > 0 ? count : 1;
}

void detail::run_on_threads(int threads, void (*body)(void* self, int thread), void* self) {
#pragma omp parallel num_threads(threads) default(none) firstprivate(body, self)
  {
    const int thread = omp_get_thread_num();
    pin_this_thread(thread);
    body(self, thread);
  }
}

void unpin_this_thread() {
  sched_setaffinity(0, sizeof(cpu_set_t), &given_processors());
}

}  // namespace twinage
