#include "kernels/simt/launch_bounds.h"

#include <cstring>

namespace gpu {

unsigned launch_bound(const void* kernel) {
#if defined(__x86_64__)
  constexpr unsigned char kNothing = 0x90, kBranchTarget[] = {0xf3, 0x0f, 0x1e, 0xfa};
  const auto* code = static_cast<const unsigned char*>(kernel);
  if (std::memcmp(code, kBranchTarget, sizeof kBranchTarget) == 0) code += sizeof kBranchTarget;
  unsigned warps = 0;
  while (warps <= 32 && code[warps] == kNothing) ++warps;
  return 32 * warps;
#else
  static_cast<void>(kernel);
  return 0;
#endif
}

}  // namespace gpu
