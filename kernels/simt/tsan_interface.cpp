// What objects compiled with -fsanitize=thread call before each access to memory. Linked without
// the real ThreadSanitizer, these functions take its place: the compiler instruments the kernels,
// pointers, vectors and all, and the checks are ours. Only in the build with checks.
#include "kernels/simt/checker.h"

#if defined(TWINAGE_SIMT_CHECK)

#include <cstring>

namespace {

using gpu::AccessKind;

// Host code in a kernel's object, and the runner itself, are instrumented in part as well: only
// what happens within kernel code counts.
inline void note(const void* p, std::size_t bytes, AccessKind kind, const void* pc) {
  gpu::Block* block = gpu::Block::in_kernel();
  if (block == nullptr || bytes == 0 || block->on_own_stack(p)) return;
  const gpu::InRunner scope;
  gpu::checker().access(*block, {p, bytes, kind, pc});
}

// The compiler knows that the address should be a multiple of the size.
inline void note_aligned(const void* p, std::size_t bytes, AccessKind kind, const void* pc) {
  gpu::Block* block = gpu::Block::in_kernel();
  if (block == nullptr || block->on_own_stack(p)) return;
  const gpu::InRunner scope;
  if (reinterpret_cast<std::uintptr_t>(p) % bytes != 0) gpu::misaligned_at(p, bytes, pc);
  gpu::checker().access(*block, {p, bytes, kind, pc});
}

}  // namespace

namespace gpu {

void check_access(const void* p, std::size_t bytes, AccessKind kind) {
  note_aligned(p, bytes, kind, __builtin_return_address(0));
}

void checked_read(void* to, const void* from, std::size_t bytes, Counted counted) {
  if (Block* block = Block::in_kernel()) {
    const InRunner scope;
    checker().access(*block, {from, bytes, AccessKind::read, __builtin_return_address(0), counted});
  }
  std::memcpy(to, from, bytes);
}

void checked_write(void* to, const void* from, std::size_t bytes, Counted counted) {
  if (Block* block = Block::in_kernel()) {
    const InRunner scope;
    checker().access(*block, {to, bytes, AccessKind::write, __builtin_return_address(0), counted});
  }
  std::memcpy(to, from, bytes);
}

}  // namespace gpu

#define CALLER __builtin_return_address(0)
#define ACCESSES(N)                                  \
  void __tsan_read##N(void* p) {                     \
    note_aligned(p, N, AccessKind::read, CALLER);    \
  }                                                  \
  void __tsan_write##N(void* p) {                    \
    note_aligned(p, N, AccessKind::write, CALLER);   \
  }                                                  \
  void __tsan_read_write##N(void* p) {               \
    note_aligned(p, N, AccessKind::write, CALLER);   \
  }                                                  \
  void __tsan_volatile_read##N(void* p) {            \
    note_aligned(p, N, AccessKind::read, CALLER);    \
  }                                                  \
  void __tsan_volatile_write##N(void* p) {           \
    note_aligned(p, N, AccessKind::write, CALLER);   \
  }                                                  \
  void __tsan_unaligned_read##N(void* p) {           \
    note(p, N, AccessKind::read, CALLER);            \
  }                                                  \
  void __tsan_unaligned_write##N(void* p) {          \
    note(p, N, AccessKind::write, CALLER);           \
  }                                                  \
  void __tsan_unaligned_read_write##N(void* p) {     \
    note(p, N, AccessKind::write, CALLER);           \
  }                                                  \
  void __tsan_unaligned_volatile_read##N(void* p) {  \
    note(p, N, AccessKind::read, CALLER);            \
  }                                                  \
  void __tsan_unaligned_volatile_write##N(void* p) { \
    note(p, N, AccessKind::write, CALLER);           \
  }

extern "C" {

void __tsan_init() {}
void __tsan_func_entry(void*) {}
void __tsan_func_exit() {}
void __tsan_vptr_read(void**) {}
void __tsan_vptr_update(void**, void*) {}

ACCESSES(1)
ACCESSES(2)
ACCESSES(4)
ACCESSES(8)
ACCESSES(16)

void __tsan_read_range(void* p, std::size_t n) {
  note(p, n, AccessKind::read, CALLER);
}
void __tsan_write_range(void* p, std::size_t n) {
  note(p, n, AccessKind::write, CALLER);
}

void* __tsan_memcpy(void* to, const void* from, std::size_t n) {
  note(from, n, AccessKind::read, CALLER);
  note(to, n, AccessKind::write, CALLER);
  return std::memcpy(to, from, n);
}
void* __tsan_memmove(void* to, const void* from, std::size_t n) {
  note(from, n, AccessKind::read, CALLER);
  note(to, n, AccessKind::write, CALLER);
  return std::memmove(to, from, n);
}
void* __tsan_memset(void* to, int value, std::size_t n) {
  note(to, n, AccessKind::write, CALLER);
  return std::memset(to, value, n);
}

}  // extern "C"

#endif
