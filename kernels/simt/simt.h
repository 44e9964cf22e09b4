// The one header of the CUDA dialect that a kernel source (*_cuda.cu) includes. Under nvcc it is
// plain CUDA; under any other compiler a shim of the same names, so that the same source runs on
// the host, thread for thread (device `simt`; docs/09-cuda-without-a-gpu.md).
//
//   GPU_SHARED(float, tile, [32][33]);      a shared array, a real array type
//   GPU_DYNAMIC_SHARED(float, buffer);      the dynamic shared memory of the launch
//   gpu::load<float4>(p), gpu::store(p, v)  vector accesses, aligned to their size
//   gpu::launch(ctx, "operation", kernel, grid, block, shared_bytes, arguments...)
//
// Everything else is CUDA's own: threadIdx, __syncthreads, __shfl_xor_sync, __pipeline_*,
// nvcuda::wmma. A source puts its functions into namespace twinage::TWINAGE_GPU_NAMESPACE, which is
// `cuda` or `simt`, so that both live in one binary.
#pragma once
#include "core/context.h"

#if defined(__CUDA_ARCH__)
#define GPU_ARCH __CUDA_ARCH__
#else
#define GPU_ARCH 9999  // nvcc's host pass and the host shim see every kernel's body
#endif

#if defined(__CUDACC__)
#include "kernels/simt/cuda_dialect.h"
#else
#include "kernels/simt/host_dialect.h"
#endif
