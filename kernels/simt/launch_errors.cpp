// Compiled by the host's compiler: nvcc 13 cannot compile the fmt library behind core/error.h.
#include "core/error.h"

namespace gpu {

[[noreturn]] void throw_refused(const char* operation, const char* name, const char* text) {
  twinage::fail("[{}] the GPU refused the kernel: {} ({})", operation, name, text);
}

}  // namespace gpu
