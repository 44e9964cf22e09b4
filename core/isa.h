// Instruction sets of the processor. Files named *_isa.cpp are compiled once for each, every time
// with another TWINAGE_ISA_NAMESPACE (cmake/Isa.cmake); a dispatcher picks one of the copies here:
//
//   return pick_isa(baseline::kTable, avx2::kTable, avx512::kTable);
//
// Such files contain no standard-library templates and no inline functions shared with other
// files: the linker keeps one copy of a shared inline function, and it might be the AVX-512 one.
#pragma once
#include <string>

namespace twinage {

enum class Isa { baseline, avx2, avx512 };

std::string to_string(Isa isa);

// The best this processor has.
Isa best_isa();

// Whether the instruction set in use multiplies bf16 by itself (AVX-512-BF16): files named
// pairs_isa.cpp are compiled for it once more, in namespace avx512_bf16. TWINAGE_ISA=avx512 means
// AVX-512 without it.
bool multiplies_bf16();

// The one in use: best_isa(), or what the environment variable TWINAGE_ISA names (baseline, avx2,
// avx512). Decided once. Throws UsageError for a name that does not exist or that this processor
// lacks.
Isa isa();

template <class T>
const T& pick_isa(const T& baseline, const T& avx2, const T& avx512) {
  switch (isa()) {
    case Isa::avx512:
      return avx512;
    case Isa::avx2:
      return avx2;
    case Isa::baseline:
      break;
  }
  return baseline;
}

}  // namespace twinage
