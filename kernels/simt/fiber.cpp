#include "kernels/simt/fiber.h"

#include <cstring>

#include <pthread.h>
#include <sys/mman.h>

#include "core/error.h"
#include "kernels/simt/sanitizers.h"

#if !defined(TWINAGE_SIMT_UCONTEXT)
// void twinage_simt_switch(void** from, void* to): saves the registers that a called function must
// preserve on the stack and the stack pointer in *from, then does the reverse for `to`. To its
// caller it is an ordinary function that returns late; the kernel's other registers were saved by
// the compiler, as around any call.
asm(R"(
.text
.globl twinage_simt_switch
.type twinage_simt_switch, @function
twinage_simt_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size twinage_simt_switch, . - twinage_simt_switch
)");
extern "C" void twinage_simt_switch(void** from, void* to);
#endif

namespace gpu {
namespace {

constexpr std::size_t kPage = 4096;
constexpr std::size_t kStackBytes = 256 * 1024;  // of address space: only touched pages cost memory
#if !defined(TWINAGE_SIMT_UCONTEXT)
constexpr std::size_t kSavedRegisters = 6;
#endif

// Stacks lie a multiple of the page size apart, so that the innermost frames of all threads of a
// block would compete for the same few lines of the cache. Their tops are moved apart instead.
std::size_t cache_offset(unsigned number) {
  return number % 16 * 256;
}

}  // namespace

Fiber::Fiber() {
#if defined(TWINAGE_ASAN)
  pthread_attr_t attributes;
  void* lowest = nullptr;
  pthread_getattr_np(pthread_self(), &attributes);
  pthread_attr_getstack(&attributes, &lowest, &bytes_);
  pthread_attr_destroy(&attributes);
  stack_ = static_cast<char*>(lowest);
#elif defined(TWINAGE_TSAN)
  sanitizer_ = __tsan_get_current_fiber();
#endif
}

Fiber::Fiber(void (*entry)(), unsigned number) : entry_(entry), number_(number) {
  void* p = mmap(nullptr, kStackBytes + kPage, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  twinage::require(p != MAP_FAILED, "[simt] no {} bytes left for the stack of a thread",
                   kStackBytes);
  mprotect(p, kPage, PROT_NONE);  // a stack that grows too large faults instead of spoiling others
  stack_ = static_cast<char*>(p) + kPage;
  bytes_ = kStackBytes;
  prepare();
}

Fiber::~Fiber() {
  if (entry_ == nullptr) return;  // the host thread's stack is not ours
#if defined(TWINAGE_TSAN)
  __tsan_destroy_fiber(sanitizer_);
#endif
  munmap(stack_ - kPage, bytes_ + kPage);
}

void Fiber::prepare() {
#if defined(TWINAGE_ASAN)
  __asan_unpoison_memory_region(stack_, bytes_);
  sanitizer_ = nullptr;
#elif defined(TWINAGE_TSAN)
  sanitizer_ = __tsan_create_fiber(0);
#endif
#if defined(TWINAGE_SIMT_UCONTEXT)
  getcontext(&context_);
  context_.uc_stack.ss_sp = stack_;
  context_.uc_stack.ss_size = bytes_ - cache_offset(number_);
  context_.uc_link = nullptr;
  makecontext(&context_, entry_, 0);
#else
  // As if entry() had been called by nobody, and had called twinage_simt_switch at once.
  auto** top = reinterpret_cast<void**>(stack_ + bytes_ - cache_offset(number_));
  *--top = nullptr;  // entry's return address: a debugger's backtrace ends here
  *--top = reinterpret_cast<void*>(entry_);
  top -= kSavedRegisters;
  std::memset(top, 0, kSavedRegisters * sizeof(void*));
  stack_pointer_ = top;
#endif
}

void Fiber::restart() {
#if defined(TWINAGE_TSAN)
  __tsan_destroy_fiber(sanitizer_);
#endif
  prepare();
}

void Fiber::switch_over(Fiber& from, Fiber& to) {
#if defined(TWINAGE_ASAN)
  __sanitizer_start_switch_fiber(&from.sanitizer_, to.stack_, to.bytes_);
#elif defined(TWINAGE_TSAN)
  __tsan_switch_to_fiber(to.sanitizer_, 0);
#endif
#if defined(TWINAGE_SIMT_UCONTEXT)
  swapcontext(&from.context_, &to.context_);
#else
  twinage_simt_switch(&from.stack_pointer_, to.stack_pointer_);
#endif
#if defined(TWINAGE_ASAN)
  __sanitizer_finish_switch_fiber(from.sanitizer_, nullptr, nullptr);
#endif
}

void Fiber::entered() {
#if defined(TWINAGE_ASAN)
  __sanitizer_finish_switch_fiber(nullptr, nullptr, nullptr);
#endif
}

}  // namespace gpu
