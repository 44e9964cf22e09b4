// The micro-kernels, for *_isa.cpp files. Every loop over m and v is unrolled, so that `acc` lives
// in registers: that, and one multiply-add per accumulator and term, is where the speed comes from.
//
// A Product says what one element of the operands is, and how two of them are multiplied: floats
// (tiles_isa.cpp) or pairs of bf16 (pairs_isa.cpp). Its members, all always inline:
//   width                   elements of a vector, as many as floats of a sum
//   Operand                 a vector of elements
//   load(p), all(p)         `width` elements from p; the element at p, `width` times
//   add(sum, a, b)          sum += a * b
//   stores_bf16             whether sums may be stored as bf16, by store_bf16(p, sum)
#pragma once
#include <utility>

#include "core/simd.h"
#include "kernels/product/tiles.h"

namespace twinage::cpu::TWINAGE_ISA_NAMESPACE {
namespace {

template <class Product, int NV, int MR>
__attribute__((noinline)) void correlate(const CorrelationTile& t) {
  constexpr int N = Product::width;
  using V = Vec<N>;
  constexpr std::ptrdiff_t NR = NV * N;

  // 1. choose the tile: MR pixels of NV vectors; their output lines are wanted soon
  const float* a[MR];
  typename V::Value acc[MR][NV] = {};
  TWINAGE_UNROLL for (int m = 0; m < MR; ++m) {
    a[m] = t.x + t.x_offsets[m];
    TWINAGE_UNROLL for (int v = 0; v < NV; ++v) __builtin_prefetch(t.y + t.y_offsets[m] + v * N, 1);
  }

  const float* panel = t.panel;
  const char* prefetch = t.prefetch;
  for (std::ptrdiff_t row = 0; row < t.rows; ++row, panel += t.panel_skip)
    for (std::ptrdiff_t segment = 0; segment < t.segments; ++segment) {
      const std::ptrdiff_t first = row * t.row_pitch + segment * t.segment_pitch;
      for (std::ptrdiff_t k = first; k < first + t.length; ++k, panel += NR) {
        // 2. load
        __builtin_prefetch(prefetch);
        prefetch += t.prefetch_step;
        typename Product::Operand b[NV];
        TWINAGE_UNROLL for (int v = 0; v < NV; ++v) b[v] = Product::load(panel + v * N);
        // 3. multiply
        TWINAGE_UNROLL for (int m = 0; m < MR; ++m) {
          const typename Product::Operand q = Product::all(a[m] + k);
          TWINAGE_UNROLL for (int v = 0; v < NV; ++v) Product::add(acc[m][v], q, b[v]);
        }
      }
    }

  // 4. store
  TWINAGE_UNROLL for (int v = 0; v < NV; ++v) {
    if (t.mean != nullptr) {
      typename V::Value mean = {}, m2 = {};
      TWINAGE_UNROLL for (int m = 0; m < MR; ++m) mean += acc[m][v];
      mean *= V::all(1.0F / MR);
      TWINAGE_UNROLL for (int m = 0; m < MR; ++m) m2 += (acc[m][v] - mean) * (acc[m][v] - mean);
      const typename V::Value before = V::load(t.mean + v * N), delta = mean - before;
      V::store(t.mean + v * N, before + delta * V::all(t.share));
      V::store(t.m2 + v * N, V::load(t.m2 + v * N) + m2 + delta * delta * V::all(t.weight));
    }
    const typename V::Value bias =
        t.bias != nullptr ? V::load(t.bias + v * N) : typename V::Value{};
    if constexpr (Product::stores_bf16)
      if (t.y_bf16) {
        TWINAGE_UNROLL for (int m = 0; m < MR; ++m) {
          typename V::Value out = acc[m][v] + bias;
          if (t.relu) out = V::max(out, typename V::Value{});
          Product::store_bf16(t.y + t.y_offsets[m] + v * N / 2, out);
        }
        continue;
      }
    TWINAGE_UNROLL for (int m = 0; m < MR; ++m) {
      float* y = t.y + t.y_offsets[m] + v * N;
      typename V::Value out = acc[m][v] + bias;
      if (t.accumulate) out += V::load(y);
      if (t.relu) out = V::max(out, typename V::Value{});
      V::store(y, out);
    }
  }
}

template <class Product, int NV, int MR>
__attribute__((noinline)) void filter(const FilterTile& t) {
  constexpr int N = Product::width;
  using V = Vec<N>;
  constexpr std::ptrdiff_t NR = NV * N;

  // 1. choose the tile: MR adjacent floats of x, NV vectors
  typename V::Value acc[MR][NV] = {};
  if (t.accumulate)
    TWINAGE_UNROLL for (int m = 0; m < MR; ++m) TWINAGE_UNROLL for (int v = 0; v < NV; ++v)
        acc[m][v] = V::load(t.out + m * t.out_pitch + v * N);

  const float* panel = t.panel;
  for (std::ptrdiff_t i = 0; i < t.terms; ++i, panel += NR) {
    // 2. load
    const float* x = t.x + t.x_offsets[i];
    __builtin_prefetch(x + t.prefetch, 0, 2);
    typename Product::Operand b[NV];
    TWINAGE_UNROLL for (int v = 0; v < NV; ++v) b[v] = Product::load(panel + v * N);
    // 3. multiply
    TWINAGE_UNROLL for (int m = 0; m < MR; ++m) {
      const typename Product::Operand q = Product::all(x + m);
      TWINAGE_UNROLL for (int v = 0; v < NV; ++v) Product::add(acc[m][v], q, b[v]);
    }
  }

  // 4. store
  TWINAGE_UNROLL for (int m = 0; m < MR; ++m) TWINAGE_UNROLL for (int v = 0; v < NV; ++v)
      V::store(t.out + m * t.out_pitch + v * N, acc[m][v]);
}

template <class Product, int NV, int... M>
constexpr void add_sizes(Tiles& tiles, std::integer_sequence<int, M...>) {
  tiles.max_pixels[NV] = sizeof...(M);
  ((tiles.correlate[NV][M + 1] = correlate<Product, NV, M + 1>), ...);
  ((tiles.filter[NV][M + 1] = filter<Product, NV, M + 1>), ...);
}

template <class Product, int NV, int MaxMR>
constexpr void add(Tiles& tiles) {
  add_sizes<Product, NV>(tiles, std::make_integer_sequence<int, MaxMR>{});
}

#if defined(__AVX512F__)
// 32 registers: MR * NV accumulators, NV of the panel, one of x; and MR pointers in 14 others.
template <class Product>
constexpr Tiles all_tiles(int panel_vectors, int panel_vectors_1x1) {
  Tiles tiles;
  tiles.width = Product::width;
  tiles.panel_vectors = panel_vectors;
  tiles.panel_vectors_1x1 = panel_vectors_1x1;
  add<Product, 1, 14>(tiles);
  add<Product, 2, 14>(tiles);
  add<Product, 3, 9>(tiles);
  add<Product, 4, 6>(tiles);
  add<Product, 5, 5>(tiles);
  return tiles;
}
// Of a kind of product, by its width: the widest vectors, and half as wide.
template <template <int> class Product>
constexpr Tiles kWide = all_tiles<Product<16>>(3, 4);
template <template <int> class Product>
constexpr Tiles kNarrow = all_tiles<Product<8>>(5, 5);
#else
template <class Product>
constexpr Tiles all_tiles() {
  Tiles tiles;
  tiles.width = Product::width;
  tiles.panel_vectors = tiles.panel_vectors_1x1 = 3;
#if defined(__aarch64__)
  // 32 registers of four floats. A row more, and g++ 12 has no register left for a row's pointer.
  add<Product, 1, 14>(tiles);
  add<Product, 2, 10>(tiles);
  add<Product, 3, 7>(tiles);
#else
  // 16 registers.
  add<Product, 1, 12>(tiles);
  add<Product, 2, 6>(tiles);
  add<Product, 3, 4>(tiles);
#endif
  return tiles;
}
template <template <int> class Product>
constexpr Tiles kWide = all_tiles<Product<TWINAGE_VECTOR_FLOATS>>();
template <template <int> class Product>
constexpr Tiles kNarrow = {};
#endif

}  // namespace
}  // namespace twinage::cpu::TWINAGE_ISA_NAMESPACE
