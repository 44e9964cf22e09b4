// simt_host.h - CUDA-like dialect for a host C++20 compiler (g++ 12 / clang 14).
#pragma once
#define TWINAGE_GPU_NAMESPACE simt
#include "core/context.h"
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <tuple>
#include <vector>

#define GPU_HOST 1
#if defined(__SANITIZE_THREAD__)
#define GPU_CHECK 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define GPU_CHECK 1
#endif
#endif
#define __global__
#define __device__
#define __host__
#define __constant__
#define __forceinline__ inline __attribute__((always_inline))
#define __launch_bounds__(...)
#define __align__(n) __attribute__((aligned(n)))
// NOTE: never #define __noinline__ (breaks libstdc++); __shared__ deliberately left undefined.
#define GPU_AT const char *file = __builtin_FILE(), int line = __builtin_LINE()
#ifdef __clang__  // clang's no_sanitize("thread") still instruments atomics
#define GPU_NOSAN __attribute__((disable_sanitizer_instrumentation))
#else
#define GPU_NOSAN __attribute__((no_sanitize("thread")))
#endif

struct uint3 { unsigned x, y, z; };
struct dim3 {
  unsigned x, y, z;
  constexpr dim3(unsigned a = 1, unsigned b = 1, unsigned c = 1) : x(a), y(b), z(c) {}
};
#define GPU_VEC(T, N)                                                                         \
  struct __attribute__((aligned(sizeof(T) * 2))) N##2 { T x, y; };                             \
  struct __attribute__((aligned(16), may_alias)) N##4 { T x, y, z, w; };                       \
  inline N##2 make_##N##2(T x, T y) { return {x, y}; }                                         \
  inline N##4 make_##N##4(T x, T y, T z, T w) { return {x, y, z, w}; }
GPU_VEC(float, float)
GPU_VEC(int, int)
GPU_VEC(unsigned, uint)
using cudaStream_t = struct CUstream_st*;

inline constinit thread_local uint3 threadIdx{}, blockIdx{};
inline constinit thread_local dim3 blockDim{1, 1, 1}, gridDim{1, 1, 1};
inline constexpr int warpSize = 32;

namespace gpu {
void run(dim3 g, dim3 b, size_t smem, void (*fn)(void*), void* ctx);  // runner
void block_barrier(const char* op, const char* file, int line);
unsigned lane();
// Every non-exited lane of mask must arrive with the same op and mask; the last one runs complete().
void warp_collective(uint32_t mask, const char* op, void* post, void (*complete)(void** posts, uint32_t mask),
                     const char* file, int line);
void* shared_ref(const void* key, const char* name, size_t bytes, size_t align);
void* dyn_shared();
void on_atomic(void* p, unsigned n);
void cp_async(void* d, const void* s, unsigned n);
void cp_commit();
void cp_wait(unsigned prior);
std::vector<std::string> take_errors();  // diagnostics gathered since the last call
struct Options { int order = 0; unsigned seed = 1; int os_threads = 1; size_t smem_limit = 99 * 1024; };
Options& options();
struct Stats { uint64_t threads, switches, barriers, collectives, checked; };
Stats& stats();

template <class T, class P> inline T load(const P* p) { return *reinterpret_cast<const T*>(p); }
template <class T, class P> inline void store(P* p, T v) { *reinterpret_cast<T*>(p) = v; }

void throw_errors(const char* operation);  // throws twinage::Error when the runner found something

template <class... P, class... A>
inline void launch(const twinage::Context&, const char* operation, void (*k)(P...), dim3 g, dim3 b, size_t smem, A&&... a) {
  struct Ctx { void (*k)(P...); std::tuple<P...> args; } c{k, {static_cast<P>(a)...}};
  run(g, b, smem, [](void* p) { auto* q = static_cast<Ctx*>(p); std::apply(q->k, q->args); }, &c);
  throw_errors(operation);
}
}  // namespace gpu
#define GPU_SHARED(T, name, ...)                      \
  static const char simt_key_##name = 0;               \
  using simt_type_##name = T __VA_ARGS__;              \
  auto& name = *static_cast<simt_type_##name*>(        \
      gpu::shared_ref(&simt_key_##name, #name, sizeof(simt_type_##name), 16))
#define GPU_DYNAMIC_SHARED(T, name) T* name = static_cast<T*>(gpu::dyn_shared())

inline void __syncthreads(GPU_AT) { gpu::block_barrier("__syncthreads", file, line); }
inline void __syncwarp(uint32_t m = 0xffffffffu, GPU_AT) {
  gpu::warp_collective(m, "__syncwarp", nullptr, nullptr, file, line);
}
namespace gpu {
template <class T> struct Xchg { T v; int src; };
template <class T>
T shfl(uint32_t mask, T v, int src, const char* op, const char* file, int line) {
  Xchg<T> x{v, src};
  warp_collective(mask, op, &x, [](void** p, uint32_t m) {
    T in[32];
    for (int i = 0; i < 32; i++)
      if (m >> i & 1) in[i] = static_cast<Xchg<T>*>(p[i])->v; else std::memset(&in[i], 0xff, sizeof(T));
    for (int i = 0; i < 32; i++)
      if (m >> i & 1) { auto* q = static_cast<Xchg<T>*>(p[i]); q->v = in[q->src]; }
  }, file, line);
  return x.v;
}
}  // namespace gpu
template <class T> T __shfl_sync(uint32_t m, T v, int s, int w = 32, GPU_AT) {
  int l = gpu::lane(); return gpu::shfl(m, v, (l & ~(w - 1)) | (s & (w - 1)), "__shfl_sync", file, line);
}
template <class T> T __shfl_xor_sync(uint32_t m, T v, int x, int w = 32, GPU_AT) {
  int l = gpu::lane(), s = l ^ x; return gpu::shfl(m, v, s > (l | (w - 1)) ? l : s, "__shfl_xor_sync", file, line);
}
template <class T> T __shfl_down_sync(uint32_t m, T v, int d, int w = 32, GPU_AT) {
  int l = gpu::lane(), s = l + d; return gpu::shfl(m, v, s > (l | (w - 1)) ? l : s, "__shfl_down_sync", file, line);
}
template <class T> T __shfl_up_sync(uint32_t m, T v, int d, int w = 32, GPU_AT) {
  int l = gpu::lane(), s = l - d; return gpu::shfl(m, v, s < (l & ~(w - 1)) ? l : s, "__shfl_up_sync", file, line);
}
inline uint32_t __ballot_sync(uint32_t m, int pred, GPU_AT) {
  uint32_t v = pred != 0;
  gpu::warp_collective(m, "__ballot_sync", &v, [](void** p, uint32_t mm) {
    uint32_t r = 0;
    for (int i = 0; i < 32; i++) if (mm >> i & 1) r |= *static_cast<uint32_t*>(p[i]) << i;
    for (int i = 0; i < 32; i++) if (mm >> i & 1) *static_cast<uint32_t*>(p[i]) = r;
  }, file, line);
  return v;
}
inline int __any_sync(uint32_t m, int p, GPU_AT) { return __ballot_sync(m, p, file, line) != 0; }
inline int __all_sync(uint32_t m, int p, GPU_AT) { return __ballot_sync(m, !p, file, line) == 0; }

#if defined(GPU_CHECK)
#define GPU_ATOMIC(p) gpu::on_atomic(p, sizeof *p)
#else
#define GPU_ATOMIC(p) (void)0
#endif
template <class T, class F> GPU_NOSAN inline T simt_rmw(T* p, F f) {
  GPU_ATOMIC(p);
  T o, n;
  __atomic_load(p, &o, __ATOMIC_RELAXED);
  do n = f(o); while (!__atomic_compare_exchange(p, &o, &n, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
  return o;
}
template <class T> inline T atomicAdd(T* p, std::type_identity_t<T> v) { return simt_rmw(p, [=](T o) { return T(o + v); }); }
template <class T> inline T atomicMax(T* p, std::type_identity_t<T> v) { return simt_rmw(p, [=](T o) { return o > v ? o : v; }); }
template <class T> inline T atomicExch(T* p, std::type_identity_t<T> v) { return simt_rmw(p, [=](T) { return v; }); }
template <class T> inline T atomicCAS(T* p, std::type_identity_t<T> c, std::type_identity_t<T> v) {
  return simt_rmw(p, [=](T o) { return o == c ? v : o; });
}
inline void __threadfence() {}
inline void __threadfence_block() {}
template <class T> __forceinline__ T __ldg(const T* p) { return *p; }
inline int __popc(uint32_t x) { return std::popcount(x); }
inline int __ffs(int x) { return __builtin_ffs(x); }
inline int __clz(int x) { return std::countl_zero(uint32_t(x)); }
inline float rsqrtf(float x) { return 1.0f / std::sqrt(x); }
inline float __expf(float x) { return std::exp(x); }
inline float __logf(float x) { return std::log(x); }
inline float __fdividef(float a, float b) { return a / b; }
inline int __float_as_int(float f) { return std::bit_cast<int>(f); }
inline float __int_as_float(int f) { return std::bit_cast<float>(f); }
using std::max;
using std::min;
inline void __pipeline_memcpy_async(void* d, const void* s, size_t n) { gpu::cp_async(d, s, n); }
inline void __pipeline_commit() { gpu::cp_commit(); }
inline void __pipeline_wait_prior(unsigned n) { gpu::cp_wait(n); }

struct __nv_bfloat16 {
  uint16_t u;
  __nv_bfloat16() = default;
  __nv_bfloat16(float f) {  // round to nearest even
    uint32_t b = std::bit_cast<uint32_t>(f);
    u = (b & 0x7fffffffu) > 0x7f800000u ? 0x7fff : uint16_t((b + 0x7fff + (b >> 16 & 1)) >> 16);
  }
  operator float() const { return std::bit_cast<float>(uint32_t(u) << 16); }
};
inline __nv_bfloat16 __float2bfloat16(float f) { return {f}; }
inline float __bfloat162float(__nv_bfloat16 b) { return b; }

// ---- tensor cores: element e of lane l is matrix element e*32+l (the mapping is unspecified in CUDA too)
namespace nvcuda::wmma {
struct matrix_a; struct matrix_b; struct accumulator; struct row_major; struct col_major;
namespace precision { struct tf32; }
enum layout_t { mem_row_major, mem_col_major };
template <class T> struct elem { using type = T; };
template <> struct elem<precision::tf32> { using type = float; };
template <class Use, int M, int N, int K, class T, class L = void> struct fragment {
  static constexpr bool A = std::is_same_v<Use, matrix_a>, B = std::is_same_v<Use, matrix_b>;
  static constexpr int rows = B ? K : M, cols = A ? K : N, num_elements = rows * cols / 32;
  using element_type = typename elem<T>::type;
  element_type x[num_elements];
};
inline float __float_to_tf32(float f) {  // round to nearest, ties away, 10 mantissa bits
  uint32_t b = std::bit_cast<uint32_t>(f);
  return (b & 0x7f800000u) == 0x7f800000u ? f : std::bit_cast<float>((b + 0x1000u) & ~0x1fffu);
}
template <class F, class V> void fill_fragment(F& f, V v) { for (auto& e : f.x) e = v; }
template <class U, int M, int N, int K, class T, class L>
void load_matrix_sync(fragment<U, M, N, K, T, L>& f, const typename fragment<U, M, N, K, T, L>::element_type* p,
                      unsigned ld, layout_t lay = mem_row_major, GPU_AT) {
  gpu::warp_collective(0xffffffffu, "wmma::load_matrix_sync", nullptr, nullptr, file, line);
  bool col = std::is_void_v<L> ? lay == mem_col_major : std::is_same_v<L, col_major>;
  for (int e = 0; e < f.num_elements; e++) {
    int i = e * 32 + gpu::lane(), r = i / f.cols, c = i % f.cols;
    f.x[e] = col ? p[size_t(c) * ld + r] : p[size_t(r) * ld + c];
  }
}
template <int M, int N, int K, class T>
void store_matrix_sync(T* p, const fragment<accumulator, M, N, K, T>& f, unsigned ld, layout_t lay, GPU_AT) {
  gpu::warp_collective(0xffffffffu, "wmma::store_matrix_sync", nullptr, nullptr, file, line);
  for (int e = 0; e < f.num_elements; e++) {
    int i = e * 32 + gpu::lane(), r = i / f.cols, c = i % f.cols;
    p[lay == mem_col_major ? size_t(c) * ld + r : size_t(r) * ld + c] = f.x[e];
  }
}
template <class D, class A, class B, class C>
void mma_sync(D& d, const A& a, const B& b, const C& c, GPU_AT) {
  struct Post { D* d; const A* a; const B* b; const C* c; } post{&d, &a, &b, &c};
  gpu::warp_collective(0xffffffffu, "wmma::mma_sync", &post, [](void** p, uint32_t) GPU_NOSAN {
    constexpr int M = A::rows, K = A::cols, N = B::cols;
    float am[M * K], bm[K * N];
    auto P = [&](int l) { return static_cast<Post*>(p[l]); };
    auto cut = [](float f) { return std::bit_cast<float>(std::bit_cast<uint32_t>(f) & ~0x1fffu); };  // hw drops low bits
    for (int i = 0; i < M * K; i++) am[i] = cut(float(P(i % 32)->a->x[i / 32]));
    for (int i = 0; i < K * N; i++) bm[i] = cut(float(P(i % 32)->b->x[i / 32]));
    for (int r = 0; r < M; r++) {
      float acc[N] = {};
      for (int k = 0; k < K; k++) for (int n = 0; n < N; n++) acc[n] += am[r * K + k] * bm[k * N + n];
      for (int n = 0; n < N; n++) { int i = r * N + n; auto* q = P(i % 32); q->d->x[i / 32] = q->c->x[i / 32] + acc[n]; }
    }
  }, file, line);
}
}  // namespace nvcuda::wmma
