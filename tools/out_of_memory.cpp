#include "tools/out_of_memory.h"

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <new>
#include <typeinfo>

#include <cxxabi.h>
#include <unistd.h>

namespace twinage {

constinit const char* const kNoMemoryLeft =
    "[memory] no memory left: use a smaller batch, preset or data.memory_gb";

namespace {

constinit std::atomic<bool> g_failed = false;

// By system calls alone: printing may need memory.
void print(const char* text) {
  if (::write(STDERR_FILENO, text, std::strlen(text)) < 0) return;  // nobody is there to be told
}

void on_failed_allocation() {
  g_failed = true;
  throw std::bad_alloc();
}

// Any other reason to terminate is a mistake of ours: it stays a crash.
void on_terminate() {
  const std::type_info* thrown = abi::__cxa_current_exception_type();
  const bool by_hand = thrown != nullptr && *thrown == typeid(std::bad_alloc);  // after malloc, say
  if (!g_failed && !by_hand) std::abort();
  print("twinage: ");
  print(kNoMemoryLeft);
  print("\n");
  ::_exit(1);
}

// Before the constructors of static objects, which have no priority.
[[gnu::constructor(101)]] void install() {
  std::set_new_handler(on_failed_allocation);
  std::set_terminate(on_terminate);
}

}  // namespace

void end_without_memory_in_words() {
  install();
}

}  // namespace twinage
