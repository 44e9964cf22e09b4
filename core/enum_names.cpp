#include "core/enum_names.h"

#include "core/error.h"

namespace twinage {

std::string listed(std::span<const std::string> names, std::string_view last) {
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) text += i + 1 == names.size() ? fmt::format(" {} ", last) : ", ";
    text += names[i];
  }
  return text;
}

void fail_unknown_value(std::string_view what, int value) {
  fail("[{}] unknown value {}", what, value);
}

void fail_unknown_name(std::string_view what, std::span<const std::string> names,
                       std::string_view got) {
  throw UsageError(fmt::format("[{}] expected {}, got '{}'", what, listed(names), got));
}

}  // namespace twinage
