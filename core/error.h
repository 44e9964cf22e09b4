// Errors name the operation, what it expected and what it got:
//   [conv2d] expected w = (K, R, S, 48) for x = (8, 35, 35, 48), got w = (96, 3, 3, 64)
#pragma once
#include <stdexcept>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/shape.h"

template <>
struct fmt::formatter<twinage::Shape> : fmt::formatter<std::string> {
  template <class FormatContext>
  auto format(const twinage::Shape& shape, FormatContext& ctx) const {
    return fmt::formatter<std::string>::format(twinage::to_string(shape), ctx);
  }
};

namespace twinage {

// Something the caller can act on: the message is one line that says what, where and what to do.
struct Error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// The command line or a configuration file asks for something that does not exist (exit code 2).
struct UsageError : Error {
  using Error::Error;
};

template <class... Args>
[[noreturn]] void fail(fmt::format_string<Args...> message, Args&&... args) {
  throw Error(fmt::format(message, std::forward<Args>(args)...));
}

template <class... Args>
void require(bool ok, fmt::format_string<Args...> message, Args&&... args) {
  if (!ok) [[unlikely]]
    throw Error(fmt::format(message, std::forward<Args>(args)...));
}

}  // namespace twinage
