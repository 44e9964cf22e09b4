// A fiber: a call stack of its own, which runs until it hands over to another one by itself. A CUDA
// thread that waits (at a barrier, in a shuffle) stays on its fiber with all its local variables,
// while its host thread runs other fibers. A switch takes a few nanoseconds: no system call.
#pragma once
#include <cstddef>

#if !defined(__x86_64__) && !defined(TWINAGE_SIMT_UCONTEXT)
#define TWINAGE_SIMT_UCONTEXT 1  // other processors: the C library's way, ten times slower
#endif
#if defined(TWINAGE_SIMT_UCONTEXT)
#include <ucontext.h>
#endif

namespace gpu {

class Fiber {
 public:
  // The calling host thread's own stack: what fibers hand back to at the end.
  Fiber();
  // A new stack. The first switch to it calls entry(), which must call entered() first and never
  // return. The number spreads the stacks over the cache.
  Fiber(void (*entry)(), unsigned number);
  ~Fiber();
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  // Leaves `from`, the fiber that runs; returns when something switches to `from` again.
  static void switch_over(Fiber& from, Fiber& to);
  static void entered();

  // Forgets what is on the stack: the next switch calls entry() again.
  void restart();

  bool holds(const void* p) const {
    const auto* at = static_cast<const char*>(p);
    return at >= stack_ && at < stack_ + bytes_;
  }

 private:
  void prepare();

  void (*entry_)() = nullptr;
  unsigned number_ = 0;
  char* stack_ = nullptr;  // the lowest address; below it lies a page that may not be touched
  std::size_t bytes_ = 0;
#if defined(TWINAGE_SIMT_UCONTEXT)
  ucontext_t context_;
#else
  void* stack_pointer_ = nullptr;  // while another fiber runs
#endif
  void* sanitizer_ = nullptr;  // what AddressSanitizer or ThreadSanitizer keeps for this fiber
};

}  // namespace gpu
