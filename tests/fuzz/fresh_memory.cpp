#include "tests/fuzz/fresh_memory.h"

#include <algorithm>
#include <array>
#include <cstring>

#if defined(__SANITIZE_ADDRESS__)
#define TWINAGE_ADDRESS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define TWINAGE_ADDRESS_SANITIZER 1
#endif
#endif

#ifdef TWINAGE_ADDRESS_SANITIZER
// As in sanitizer/allocator_interface.h, a header that g++ 12 lacks; its library has the functions.
extern "C" {
int __sanitizer_install_malloc_and_free_hooks(void (*malloc_hook)(const volatile void* block,
                                                                  std::size_t size),
                                              void (*free_hook)(const volatile void* block));
std::size_t __sanitizer_get_allocated_size(const volatile void* block);
}
#else
#include <malloc.h>
#endif

namespace twinage::fuzz {
namespace {

// The decoders' tables lie on the stack, too.
[[gnu::noinline]] void fill_stack(std::uint8_t byte) {
  std::array<std::uint8_t, 64 * 1024> stack;
  std::memset(stack.data(), byte, stack.size());
  asm volatile("" : : "r"(stack.data()) : "memory");
}

#ifdef TWINAGE_ADDRESS_SANITIZER
thread_local bool watching = false;
thread_local std::uint8_t fill = 0;
thread_local std::size_t held = 0, most_held = 0;

void on_malloc(const volatile void* block, std::size_t size) {
  if (!watching) return;
  // Nothing under test uses calloc, which would be filled after it was cleared.
  std::memset(const_cast<void*>(block), fill, size);
  held += size;
  most_held = std::max(most_held, held);
}

void on_free(const volatile void* block) {
  if (!watching || block == nullptr) return;
  held -= std::min(held, __sanitizer_get_allocated_size(block));
}

void install_hooks() {
  static const int installed = __sanitizer_install_malloc_and_free_hooks(on_malloc, on_free);
  (void)installed;
}
#endif

}  // namespace

#ifdef TWINAGE_ADDRESS_SANITIZER
FreshMemory::FreshMemory(std::uint8_t byte) {
  install_hooks();
  fill_stack(byte);
  fill = byte;
  held = most_held = 0;
  watching = true;
}
FreshMemory::~FreshMemory() {
  watching = false;
}
std::size_t FreshMemory::peak() const {
  return most_held;
}
#else
FreshMemory::FreshMemory(std::uint8_t byte) {
  mallopt(M_PERTURB, 0x100 | (byte ^ 0xFF));  // glibc fills with the complement
  fill_stack(byte);
}
FreshMemory::~FreshMemory() {
  mallopt(M_PERTURB, 0);
}
std::size_t FreshMemory::peak() const {
  return 0;
}
#endif

}  // namespace twinage::fuzz
