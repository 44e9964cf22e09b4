// What every target of the fuzzers shares. A target is one function of an input's bytes that
// returns when the code under test did what it promises and throws otherwise:
//
//   TWINAGE_FUZZ_TARGET(csv, input) { ... }
//
// With Clang's libFuzzer (preset fuzz) it becomes the program's entry, and what it throws ends the
// program: a finding. In the other builds it stands in a list, and tests_fuzz calls it with the
// inputs that are kept in corpus/.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"

namespace twinage::fuzz {

using Input = std::span<const std::byte>;

inline std::string_view text_of(Input input) {
  return {reinterpret_cast<const char*>(input.data()), input.size()};
}

// A promise that does not hold. No twinage::Error: those are what bad input is answered with.
inline void must(bool holds, const std::string& promise) {
  if (!holds) throw std::logic_error("broken promise: " + promise);
}

// Whether f() came to its end. Error is an answer; any other exception is a finding and passes on.
template <class Function>
bool answered(Function&& f) {
  try {
    f();
    return true;
  } catch (const Error& error) {
    must(error.what()[0] != '\0', "an error says something");
    return false;
  }
}

struct Target {
  const char* name;
  void (*run)(Input input);
};
inline std::vector<Target>& targets() {
  static std::vector<Target> all;
  return all;
}
struct Registration {
  explicit Registration(Target target) { targets().push_back(target); }
};

}  // namespace twinage::fuzz

#ifdef TWINAGE_LIBFUZZER
#define TWINAGE_FUZZ_TARGET(name, input)                                              \
  static void fuzz_##name(twinage::fuzz::Input);                                      \
  extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) { \
    fuzz_##name(std::as_bytes(std::span(data, size)));                                \
    return 0;                                                                         \
  }                                                                                   \
  static void fuzz_##name(twinage::fuzz::Input input)
#else
#define TWINAGE_FUZZ_TARGET(name, input)                                              \
  static void fuzz_##name(twinage::fuzz::Input);                                      \
  static const twinage::fuzz::Registration registration_##name({#name, fuzz_##name}); \
  static void fuzz_##name(twinage::fuzz::Input input)
#endif
