// Tensor cores as nvcuda::wmma offers them: a warp holds matrices in fragments, a few elements in
// each lane, and multiplies them together. Which lane holds which element CUDA does not say;
// element_of gives a layout that is deliberately unlike any GPU's, so that a kernel that counts on
// one fails here.
//
// What there is: 16x16x8 of tf32 and 16x16x16 of bf16, both with float32 accumulators. Included by
// host_dialect.h, whose macros it uses.
#pragma once
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "kernels/simt/host_vector_types.h"
#include "kernels/simt/runner.h"

namespace nvcuda::wmma {

struct matrix_a;
struct matrix_b;
struct accumulator;
struct row_major;
struct col_major;
namespace precision {
struct tf32;
}
enum layout_t { mem_row_major, mem_col_major };

template <class T>
struct Storage {
  using type = T;
};
template <>
struct Storage<precision::tf32> {
  using type = float;
};

template <class Use, int M, int N, int K, class T, class Layout = void>
struct fragment {
  static constexpr bool is_a = std::is_same_v<Use, matrix_a>;
  static constexpr bool is_b = std::is_same_v<Use, matrix_b>;
  static_assert(M == 16 && N == 16 && (K == 8 || K == 16));
  static_assert((is_a || is_b) ? std::is_same_v<T, precision::tf32>
                                     ? K == 8
                                     : std::is_same_v<T, __nv_bfloat16> && K == 16
                               : std::is_same_v<T, float>);
  static constexpr int rows = is_b ? K : M, cols = is_a ? K : N;
  static constexpr int num_elements = rows * cols / 32;
  using element_type = typename Storage<T>::type;

  element_type x[num_elements];
};

// The lane that holds element i (row by row), in its x[i / 32]; and the reverse.
constexpr int lane_of(int i) {
  return (5 * (i % 32) + i / 32 + 3) % 32;
}
constexpr int element_of(int lane, int x_index) {
  const int shifted = lane - x_index - 3 + 64;  // 13 is the inverse of 5 modulo 32
  return x_index * 32 + (13 * shifted) % 32;
}
static_assert(lane_of(element_of(17, 6)) == 17 && element_of(lane_of(200), 200 / 32) == 200);

// Tensor cores look at 10 of the 23 bits of a fraction. To the nearest, ties away from zero.
inline float __float_to_tf32(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const bool finite = (bits & 0x7f800000U) != 0x7f800000U;
  return finite ? std::bit_cast<float>((bits + 0x1000U) & ~0x1fffU) : value;
}

template <class Fragment>
void fill_fragment(Fragment& f, typename Fragment::element_type value) {
  for (auto& x : f.x) x = value;
}

// As CUDA's documentation asks: the first element on 32 bytes, the lines 16 bytes apart.
template <class T>
__forceinline__ void require_tile(const T* p, unsigned ld) {
  gpu::require_aligned(p, 32);
  gpu::require_aligned(p + ld, 16);
}

template <class Use, int M, int N, int K, class T, class Layout>
__forceinline__ void load_matrix_sync(
    fragment<Use, M, N, K, T, Layout>& f,
    const typename fragment<Use, M, N, K, T, Layout>::element_type* p, unsigned ld,
    layout_t layout = mem_row_major, gpu::Place place = gpu::Place::here()) {
  using Fragment = fragment<Use, M, N, K, T, Layout>;
  require_tile(p, ld);
  gpu::collective(0xffffffffU, "wmma::load_matrix_sync", nullptr, nullptr, place);
  const bool columns =
      std::is_void_v<Layout> ? layout == mem_col_major : std::is_same_v<Layout, col_major>;
  for (int e = 0; e < Fragment::num_elements; ++e) {
    const int i = element_of(static_cast<int>(gpu::lane()), e);
    const int row = i / Fragment::cols, col = i % Fragment::cols;
    const auto* from = p + (columns ? static_cast<std::size_t>(col) * ld + row
                                    : static_cast<std::size_t>(row) * ld + col);
    if constexpr (gpu::kChecking)
      gpu::checked_read(&f.x[e], from, sizeof *from, gpu::Counted::no);
    else
      f.x[e] = *from;
  }
}

template <int M, int N, int K, class T>
__forceinline__ void store_matrix_sync(T* p, const fragment<accumulator, M, N, K, T>& f,
                                       unsigned ld, layout_t layout,
                                       gpu::Place place = gpu::Place::here()) {
  using Fragment = fragment<accumulator, M, N, K, T>;
  require_tile(p, ld);
  gpu::collective(0xffffffffU, "wmma::store_matrix_sync", nullptr, nullptr, place);
  for (int e = 0; e < Fragment::num_elements; ++e) {
    const int i = element_of(static_cast<int>(gpu::lane()), e);
    const int row = i / Fragment::cols, col = i % Fragment::cols;
    T* to = p + (layout == mem_col_major ? static_cast<std::size_t>(col) * ld + row
                                         : static_cast<std::size_t>(row) * ld + col);
    if constexpr (gpu::kChecking)
      gpu::checked_write(to, &f.x[e], sizeof *to, gpu::Counted::no);
    else
      *to = f.x[e];
  }
}

// The hardware drops the bits below tf32's 10 (bf16 has none there).
inline float as_multiplied(float x) {
  return std::bit_cast<float>(std::bit_cast<std::uint32_t>(x) & ~0x1fffU);
}

// sum + a * b, without what a float has no room for.
inline float add_truncated(float sum, float a, float b) {
  const double exact = static_cast<double>(sum) + static_cast<double>(a) * static_cast<double>(b);
  const auto nearest = static_cast<float>(exact);
  return std::fabs(static_cast<double>(nearest)) > std::fabs(exact) ? std::nextafterf(nearest, 0.0F)
                                                                    : nearest;
}

// One lane's part in mma_sync.
template <class D, class A, class B, class C>
struct Operands {
  D* d;
  const A* a;
  const B* b;
  const C* c;
};

// d = a b + c for the whole warp, from the operands of its 32 lanes.
template <class D, class A, class B, class C>
GPU_NOT_INSTRUMENTED void multiply(void** offers, std::uint32_t) {
  using Lane = Operands<D, A, B, C>;
  constexpr int M = A::rows, K = A::cols, N = B::cols;
  float a[M * K], b[K * N];
  for (int i = 0; i < M * K; ++i)
    a[i] = as_multiplied(static_cast<Lane*>(offers[lane_of(i)])->a->x[i / 32]);
  for (int i = 0; i < K * N; ++i)
    b[i] = as_multiplied(static_cast<Lane*>(offers[lane_of(i)])->b->x[i / 32]);
  const bool truncated = gpu::options().truncated_sums;
  for (int m = 0; m < M; ++m) {
    float sum[N] = {};
    for (int k = 0; k < K; ++k)
      for (int n = 0; n < N; ++n) {
        const float x = a[m * K + k], y = b[k * N + n];
        sum[n] = truncated ? add_truncated(sum[n], x, y) : sum[n] + x * y;
      }
    for (int n = 0; n < N; ++n) {
      const int i = m * N + n;
      const auto& lane = *static_cast<Lane*>(offers[lane_of(i)]);
      const float before = lane.c->x[i / 32];
      lane.d->x[i / 32] = truncated ? add_truncated(before, sum[n], 1.0F) : before + sum[n];
    }
  }
}

template <class D, class A, class B, class C>
__forceinline__ void mma_sync(D& d, const A& a, const B& b, const C& c,
                              gpu::Place place = gpu::Place::here()) {
  Operands<D, A, B, C> operands{&d, &a, &b, &c};
  gpu::collective(0xffffffffU, "wmma::mma_sync", &operands, multiply<D, A, B, C>, place);
}

}  // namespace nvcuda::wmma
