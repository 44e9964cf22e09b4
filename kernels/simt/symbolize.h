// From an address in the program to file and line, by the tool addr2line and debug information (the
// kernels' objects always have it).
#pragma once
#include <string>
#include <vector>

#include "kernels/simt/runner.h"

namespace gpu {

// "conv2d_cuda.cu:77": of the call before the return address `pc`; of code that was inlined, the
// innermost place in a kernel's source, not in this folder's headers. Without addr2line the
// address.
std::string symbolize(const void* pc);

// Looks all of them up with one start of the tool, for calls of symbolize to come.
void symbolize_all(const std::vector<const void*>& pcs);

// The function that starts at this address, without namespaces and parameters: "tile<64, 64>".
std::string function_name(const void* function);

std::string place_text(Place place);

}  // namespace gpu
