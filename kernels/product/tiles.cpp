#include "kernels/product/tiles.h"

#include "core/isa.h"

namespace twinage::cpu {

// Defined in tiles_isa.cpp, move_isa.cpp and pairs_isa.cpp, once for every instruction set.
#define TWINAGE_PAIRS_OF(isa)                  \
  namespace isa {                              \
  extern const Tiles wide_pairs, narrow_pairs; \
  extern const PairMovers pair_movers;         \
  }
#define TWINAGE_KERNELS_OF(isa)                                            \
  TWINAGE_PAIRS_OF(isa)                                                    \
  namespace isa {                                                          \
  extern const Tiles wide_tiles, narrow_tiles;                             \
  extern const Movers movers;                                              \
  constexpr Kernels kernels = {wide_tiles, narrow_tiles, movers};          \
  constexpr Kernels kernels_on_pairs = {wide_pairs, narrow_pairs, movers}; \
  }
TWINAGE_KERNELS_OF(baseline)
TWINAGE_KERNELS_OF(avx2)
TWINAGE_KERNELS_OF(avx512)
TWINAGE_PAIRS_OF(avx512_bf16)
namespace avx512_bf16 {
constexpr Kernels kernels_on_pairs = {wide_pairs, narrow_pairs, avx512::movers};
}

const Kernels& kernels(Operands operands) {
  if (operands == Operands::floats)
    return pick_isa(baseline::kernels, avx2::kernels, avx512::kernels);
  if (multiplies_bf16()) return avx512_bf16::kernels_on_pairs;
  return pick_isa(baseline::kernels_on_pairs, avx2::kernels_on_pairs, avx512::kernels_on_pairs);
}

const PairMovers& pair_movers() {
  if (multiplies_bf16()) return avx512_bf16::pair_movers;
  return pick_isa(baseline::pair_movers, avx2::pair_movers, avx512::pair_movers);
}

}  // namespace twinage::cpu
