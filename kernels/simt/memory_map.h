// What else a kernel may read on a GPU: constants, and CUDA's built-in variables.
#pragma once

namespace gpu {

// In a part of the program that nothing may write to: tables of constants.
bool is_constant(const void* p);

// threadIdx, blockIdx, blockDim or gridDim.
bool is_built_in_variable(const void* p);

}  // namespace gpu
