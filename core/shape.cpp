#include "core/shape.h"

#include <fmt/format.h>

namespace twinage {

std::string to_string(const Shape& s) {
  return fmt::format("({}, {}, {}, {})", s.n, s.h, s.w, s.c);
}

}  // namespace twinage
