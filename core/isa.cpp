#include "core/isa.h"

#include <cstdlib>

#include "core/error.h"

namespace twinage {
namespace {

// What TWINAGE_ISA names; null: nothing.
const char* wanted_isa() {
  const char* wanted = std::getenv("TWINAGE_ISA");
  return wanted == nullptr || *wanted == '\0' ? nullptr : wanted;
}

Isa chosen_isa() {
  const char* wanted = wanted_isa();
  if (wanted == nullptr) return best_isa();
  for (Isa candidate : {Isa::baseline, Isa::avx2, Isa::avx512}) {
    if (to_string(candidate) != wanted) continue;
    if (candidate > best_isa())
      throw UsageError(fmt::format("[isa] TWINAGE_ISA={} asks for more than this processor has: {}",
                                   wanted, to_string(best_isa())));
    return candidate;
  }
  throw UsageError(fmt::format("[isa] TWINAGE_ISA={} is none of baseline, avx2, avx512", wanted));
}

}  // namespace

std::string to_string(Isa isa) {
  switch (isa) {
    case Isa::baseline:
      return "baseline";
    case Isa::avx2:
      return "avx2";
    case Isa::avx512:
      return "avx512";
  }
  fail("[isa] unknown instruction set {}", static_cast<int>(isa));
}

Isa best_isa() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq"))
    return Isa::avx512;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return Isa::avx2;
#endif
  return Isa::baseline;
}

Isa isa() {
  static const Isa chosen = chosen_isa();
  return chosen;
}

bool multiplies_bf16() {
#if defined(__x86_64__)
  static const bool answer =
      isa() == Isa::avx512 && wanted_isa() == nullptr && __builtin_cpu_supports("avx512bf16");
  return answer;
#else
  return false;
#endif
}

}  // namespace twinage
