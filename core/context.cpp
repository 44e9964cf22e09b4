#include "core/context.h"

#include "core/error.h"

namespace twinage {

std::string to_string(Math math) {
  switch (math) {
    case Math::fp32:
      return "fp32";
    case Math::tf32:
      return "tf32";
    case Math::bf16:
      return "bf16";
  }
  fail("[math] unknown arithmetic {}", static_cast<int>(math));
}

Math parse_math(std::string_view name) {
  for (const Math math : {Math::fp32, Math::tf32, Math::bf16})
    if (name == to_string(math)) return math;
  throw UsageError(fmt::format("[math] no arithmetic '{}': use fp32, tf32 or bf16", name));
}

}  // namespace twinage
