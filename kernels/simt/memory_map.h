// What else a kernel may read on a GPU: constants, and CUDA's built-in variables.
#pragma once
#include <cstddef>

namespace gpu {

// In a part of the program that nothing may write to: tables of constants.
bool is_constant(const void* p);

// In device memory, or page-locked memory of the host (which there is with a stand-in only).
bool reached_by_kernels(const void* p, std::size_t bytes);

// threadIdx, blockIdx, blockDim or gridDim.
bool is_built_in_variable(const void* p);

}  // namespace gpu
