// The micro-kernels whose operands are float32.
#include "kernels/product/tiles_isa.h"

namespace twinage::cpu::TWINAGE_ISA_NAMESPACE {
namespace {

template <int N>
struct Floats {
  using V = Vec<N>;
  using Operand = typename V::Value;
  static constexpr int width = N;
  static constexpr bool stores_bf16 = false;

  static TWINAGE_INLINE Operand load(const float* p) { return V::load(p); }
  static TWINAGE_INLINE Operand all(const float* p) { return V::all(*p); }
  static TWINAGE_INLINE void add(typename V::Value& sum, Operand a, Operand b) { sum += a * b; }
};

}  // namespace

extern const Tiles wide_tiles, narrow_tiles;
const Tiles wide_tiles = kWide<Floats>, narrow_tiles = kNarrow<Floats>;

}  // namespace twinage::cpu::TWINAGE_ISA_NAMESPACE
