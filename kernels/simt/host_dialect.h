// What simt.h means under the host's compiler: the names of CUDA that kernels use, over runner.h.
// A name that is missing here is missing on purpose where it would let results depend on the order
// of threads: atomics of floats, and __threadfence for sums of the last block (use two launches).
#pragma once
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <tuple>
#include <type_traits>
#include <utility>

#include "core/context.h"
#include "kernels/simt/host_vector_types.h"
#include "kernels/simt/launch_bounds.h"
#include "kernels/simt/runner.h"
#include "kernels/simt/stand_in.h"

#define TWINAGE_GPU_NAMESPACE simt

// __shared__ is left undefined, so that a kernel without GPU_SHARED does not compile; and
// __noinline__ too, which libstdc++ uses itself.
#define __global__
#define __device__
#define __host__
#define __forceinline__ inline __attribute__((always_inline))
#define __align__(n) __attribute__((aligned(n)))

// Each function has an object of its own as the key of its array: instances of a template as well.
#define GPU_SHARED(T, name, ...)               \
  static constexpr char gpu_key_##name = 0;    \
  using gpu_type_##name = T __VA_ARGS__;       \
  auto& name = *static_cast<gpu_type_##name*>( \
      gpu::shared_array(&gpu_key_##name, #name, sizeof(gpu_type_##name)))
#define GPU_DYNAMIC_SHARED(T, name) T* name = static_cast<T*>(gpu::dynamic_shared_memory())

using cudaStream_t = struct CUstream_st*;

inline constinit thread_local uint3 threadIdx{}, blockIdx{};
inline constinit thread_local dim3 blockDim{}, gridDim{};
inline constexpr int warpSize = 32;

using std::max;
using std::min;

// A function whose accesses are not reported to the checks.
#if !defined(TWINAGE_SIMT_CHECK)
#define GPU_NOT_INSTRUMENTED
#elif defined(__clang__)  // whose no_sanitize("thread") leaves atomics instrumented
#define GPU_NOT_INSTRUMENTED __attribute__((noinline, disable_sanitizer_instrumentation))
#else
#define GPU_NOT_INSTRUMENTED __attribute__((noinline, no_sanitize("thread")))
#endif

// In a namespace of this dialect's own: of two weak functions of one name the linker keeps one, and
// a launch on the GPU would run the host's, or nothing (tests/tools/weak_symbols.sh).
namespace gpu {
inline namespace TWINAGE_GPU_NAMESPACE {

// 1. launch

// Pointers to constants, and views of them. Of any other type: it may hold pointers to write to.
template <class P>
constexpr bool reads_only() {
  if constexpr (std::is_pointer_v<P>)
    return std::is_const_v<std::remove_pointer_t<P>>;
  else if constexpr (requires(P p) { *p.data; })
    return std::is_const_v<std::remove_reference_t<decltype(*std::declval<P>().data)>>;
  else
    return false;
}

// Of a view: the bytes from its first number to behind its last.
template <class P>
std::size_t reach_of(const P& value) {
  if constexpr (requires { value.data + value.ld* value.shape.pixels(); })
    return value.shape.size() == 0
               ? 0
               : static_cast<std::size_t>((value.shape.pixels() - 1) * value.ld + value.shape.c) *
                     sizeof(*value.data);
  else
    return 0;
}

// So that what a variable of the host's left behind between two members looks like no pointer.
// False where the compiler cannot do it.
template <class P>
bool cleared(P& value) {
#if __has_builtin(__builtin_clear_padding)
  __builtin_clear_padding(&value);
  return true;
#else
  static_cast<void>(value);
  return !std::is_class_v<P>;
#endif
}

template <class... Parameters, class... Arguments>
void launch(const twinage::Context& ctx, const char* operation, void (*kernel)(Parameters...),
            dim3 grid, dim3 block, std::size_t shared_bytes, Arguments&&... arguments) {
  struct Call {
    void (*kernel)(Parameters...);
    std::tuple<Parameters...> arguments;
  } call{kernel, {static_cast<Parameters>(arguments)...}};
  const auto body = [](void* p) {
    const auto& c = *static_cast<const Call*>(p);
    std::apply(c.kernel, c.arguments);
  };
  const Launch launched{operation,   reinterpret_cast<const void*>(kernel),
                        body,        &call,
                        sizeof call, grid,
                        block,       shared_bytes,
                        ctx.threads};
  if (ctx.device != twinage::Device::cuda) return run(launched);
  static_assert((std::is_trivially_copyable_v<Parameters> && ...),
                "a GPU gets a copy of its bytes");
  std::apply(
      [&](Parameters&... each) {
        const Argument listed[] = {
            {&each, sizeof each, reads_only<Parameters>(), reach_of(each), cleared(each)}..., {}};
        stand_in()->launch(launched, listed, sizeof...(Parameters), ctx.stream);
      },
      call.arguments);
}

// 2. vector accesses

template <class T, class P>
__forceinline__ T load(const P* p) {
  require_aligned(p, sizeof(T));
  T value;
  if constexpr (kChecking)
    checked_read(&value, p, sizeof(T), Counted::yes);
  else
    std::memcpy(&value, __builtin_assume_aligned(p, sizeof(T)), sizeof(T));
  return value;
}

template <class T, class P>
__forceinline__ void store(P* p, T value) {
  require_aligned(p, sizeof(T));
  if constexpr (kChecking)
    checked_write(p, &value, sizeof(T), Counted::yes);
  else
    std::memcpy(__builtin_assume_aligned(p, sizeof(T)), &value, sizeof(T));
}

// 3. exchange within a warp

template <class T>
struct Offer {
  T value;
  int source;  // the lane whose value is wanted
};

// A value from a lane that does not take part has all bits set: NaN.
template <class T>
T shuffle(std::uint32_t mask, T value, int source, const char* operation, Place place) {
  Offer<T> offer{value, source};
  const Complete complete = [](void** offers, std::uint32_t lanes) {
    T values[32];
    std::memset(static_cast<void*>(values), 0xff, sizeof values);
    for (int i = 0; i < 32; ++i)
      if ((lanes >> i) & 1U) values[i] = static_cast<Offer<T>*>(offers[i])->value;
    for (int i = 0; i < 32; ++i)
      if ((lanes >> i) & 1U) {
        auto& o = *static_cast<Offer<T>*>(offers[i]);
        o.value = values[o.source];
      }
  };
  collective(mask, operation, &offer, complete, place);
  return offer.value;
}

}  // namespace TWINAGE_GPU_NAMESPACE
}  // namespace gpu

inline void __syncthreads(gpu::Place place = gpu::Place::here()) {
  gpu::barrier(place);
}
inline void __syncwarp(std::uint32_t mask = 0xffffffffU, gpu::Place place = gpu::Place::here()) {
  gpu::collective(mask, "__syncwarp", nullptr, nullptr, place);
}

// `width` cuts the warp into groups of so many lanes; a lane that would read outside its group
// keeps its own value.
template <class T>
T __shfl_sync(std::uint32_t mask, T value, int source, int width = 32,
              gpu::Place place = gpu::Place::here()) {
  const int me = static_cast<int>(gpu::lane()), group = me & ~(width - 1);
  return gpu::shuffle(mask, value, group | (source & (width - 1)), "__shfl_sync", place);
}
template <class T>
T __shfl_xor_sync(std::uint32_t mask, T value, int bits, int width = 32,
                  gpu::Place place = gpu::Place::here()) {
  const int me = static_cast<int>(gpu::lane()), source = me ^ bits, last = me | (width - 1);
  return gpu::shuffle(mask, value, source > last ? me : source, "__shfl_xor_sync", place);
}
template <class T>
T __shfl_down_sync(std::uint32_t mask, T value, int distance, int width = 32,
                   gpu::Place place = gpu::Place::here()) {
  const int me = static_cast<int>(gpu::lane()), source = me + distance, last = me | (width - 1);
  return gpu::shuffle(mask, value, source > last ? me : source, "__shfl_down_sync", place);
}
template <class T>
T __shfl_up_sync(std::uint32_t mask, T value, int distance, int width = 32,
                 gpu::Place place = gpu::Place::here()) {
  const int me = static_cast<int>(gpu::lane()), source = me - distance, first = me & ~(width - 1);
  return gpu::shuffle(mask, value, source < first ? me : source, "__shfl_up_sync", place);
}

inline std::uint32_t __ballot_sync(std::uint32_t mask, int predicate,
                                   gpu::Place place = gpu::Place::here()) {
  std::uint32_t vote = predicate != 0 ? 1U : 0U;
  const gpu::Complete complete = [](void** offers, std::uint32_t lanes) {
    std::uint32_t result = 0;
    for (int i = 0; i < 32; ++i)
      if ((lanes >> i) & 1U) result |= *static_cast<std::uint32_t*>(offers[i]) << i;
    for (int i = 0; i < 32; ++i)
      if ((lanes >> i) & 1U) *static_cast<std::uint32_t*>(offers[i]) = result;
  };
  gpu::collective(mask, "__ballot_sync", &vote, complete, place);
  return vote;
}
inline int __any_sync(std::uint32_t mask, int predicate, gpu::Place place = gpu::Place::here()) {
  return __ballot_sync(mask, predicate, place) != 0 ? 1 : 0;
}
inline int __all_sync(std::uint32_t mask, int predicate, gpu::Place place = gpu::Place::here()) {
  return __ballot_sync(mask, predicate == 0 ? 1 : 0, place) == 0 ? 1 : 0;
}

// 4. atomics, of integers: a sum of floats would depend on the order of threads

namespace gpu {
inline namespace TWINAGE_GPU_NAMESPACE {

template <class T, class F>
GPU_NOT_INSTRUMENTED T replace_atomically(T* p, T operand, F new_value) {
  T old = __atomic_load_n(p, __ATOMIC_RELAXED);
  while (!__atomic_compare_exchange_n(p, &old, new_value(old, operand), false, __ATOMIC_RELAXED,
                                      __ATOMIC_RELAXED)) {
  }
  return old;
}

template <class T, class F>
__forceinline__ T atomic(T* p, T operand, F new_value) {
  static_assert(std::is_integral_v<T>, "the bits must not depend on the order of threads");
  if constexpr (kChecking) check_access(p, sizeof(T), AccessKind::atomic);
  return replace_atomically(p, operand, new_value);
}

}  // namespace TWINAGE_GPU_NAMESPACE
}  // namespace gpu

template <class T>
__forceinline__ T atomicAdd(T* p, std::type_identity_t<T> value) {
  return gpu::atomic(p, value, [](T old, T add) { return static_cast<T>(old + add); });
}
template <class T>
__forceinline__ T atomicMax(T* p, std::type_identity_t<T> value) {
  return gpu::atomic(p, value, [](T old, T other) { return old > other ? old : other; });
}
template <class T>
__forceinline__ T atomicMin(T* p, std::type_identity_t<T> value) {
  return gpu::atomic(p, value, [](T old, T other) { return old < other ? old : other; });
}

// 5. copies that run beside the kernel

__forceinline__ void __pipeline_memcpy_async(void* shared, const void* global, std::size_t bytes,
                                             std::size_t zeros = 0) {
  gpu::copy_async(shared, global, bytes, zeros);
}
__forceinline__ void __pipeline_commit() {
  gpu::commit_copies();
}
__forceinline__ void __pipeline_wait_prior(unsigned all_but_last) {
  gpu::wait_for_copies(all_but_last);
}

// 6. arithmetic

template <class T>
__forceinline__ T __ldg(const T* p) {
  return *p;
}
inline int __popc(std::uint32_t x) {
  return std::popcount(x);
}
inline int __ffs(int x) {
  return __builtin_ffs(x);
}
inline int __clz(int x) {
  return std::countl_zero(static_cast<std::uint32_t>(x));
}
inline std::uint32_t __umulhi(std::uint32_t a, std::uint32_t b) {
  return static_cast<std::uint32_t>((static_cast<std::uint64_t>(a) * b) >> 32);
}
inline float rsqrtf(float x) {
  return 1.0F / std::sqrt(x);
}
inline float __expf(float x) {
  return std::exp(x);
}
inline float __logf(float x) {
  return std::log(x);
}
inline float __fdividef(float a, float b) {
  return a / b;
}
inline int __float_as_int(float x) {
  return std::bit_cast<int>(x);
}
inline float __int_as_float(int x) {
  return std::bit_cast<float>(x);
}
inline std::uint32_t __float_as_uint(float x) {
  return std::bit_cast<std::uint32_t>(x);
}
inline float __uint_as_float(std::uint32_t x) {
  return std::bit_cast<float>(x);
}

#include "kernels/simt/host_wmma.h"
