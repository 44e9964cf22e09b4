// What simt.h means under nvcc.
#pragma once
#include <cuda_bf16.h>
#include <cuda_pipeline_primitives.h>
#include <cuda_runtime.h>
#include <mma.h>

#define TWINAGE_GPU_NAMESPACE cuda
#define GPU_SHARED(T, name, ...) __shared__ __align__(32) T name __VA_ARGS__
#define GPU_DYNAMIC_SHARED(T, name)                      \
  extern __shared__ __align__(32) float4 gpu_dynamic_[]; \
  T* name = reinterpret_cast<T*>(gpu_dynamic_)

namespace gpu {

// Throws twinage::Error. (Here, because nvcc 13 cannot compile the fmt library.)
[[noreturn]] void throw_refused(const char* operation, const char* name, const char* text);

// In a namespace of this dialect's own: of two weak functions of one name the linker keeps one, and
// a launch on the GPU would run the host's, or nothing (tests/tools/weak_symbols.sh).
inline namespace TWINAGE_GPU_NAMESPACE {

template <class T, class P>
__device__ __forceinline__ T load(const P* p) {
  return *reinterpret_cast<const T*>(p);
}
template <class T, class P>
__device__ __forceinline__ void store(P* p, T value) {
  *reinterpret_cast<T*>(p) = value;
}

// Starts the kernel on the context's stream. Throws Error when the launch itself is refused.
template <class... Parameters, class... Arguments>
void launch(const twinage::Context& ctx, const char* operation, void (*kernel)(Parameters...),
            dim3 grid, dim3 block, std::size_t shared_bytes, Arguments&&... arguments) {
  const auto stream = static_cast<cudaStream_t>(ctx.stream);
  if (shared_bytes > 48 * 1024)  // more than the default has to be asked for
    cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                         static_cast<int>(shared_bytes));
  kernel<<<grid, block, shared_bytes, stream>>>(static_cast<Parameters>(arguments)...);
  const cudaError_t error = cudaGetLastError();
  if (error != cudaSuccess)
    throw_refused(operation, cudaGetErrorName(error), cudaGetErrorString(error));
}

}  // namespace TWINAGE_GPU_NAMESPACE
}  // namespace gpu
