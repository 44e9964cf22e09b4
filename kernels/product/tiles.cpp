#include "kernels/product/tiles.h"

#include "core/isa.h"

namespace twinage::cpu {

// Defined in tiles_isa.cpp and move_isa.cpp, once for every instruction set.
#define TWINAGE_KERNELS_OF(isa)                                   \
  namespace isa {                                                 \
  extern const Tiles wide_tiles, narrow_tiles;                    \
  extern const Movers movers;                                     \
  constexpr Kernels kernels = {wide_tiles, narrow_tiles, movers}; \
  }
TWINAGE_KERNELS_OF(baseline)
TWINAGE_KERNELS_OF(avx2)
TWINAGE_KERNELS_OF(avx512)

const Kernels& kernels() {
  return pick_isa(baseline::kernels, avx2::kernels, avx512::kernels);
}

}  // namespace twinage::cpu
