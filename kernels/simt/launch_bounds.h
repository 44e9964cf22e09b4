// What a kernel's __launch_bounds__ say, where the runner can ask for it.
//
// CUDA's place for them, between the return type and the name, takes an attribute and nothing else,
// and of what g++ has for functions one can be found again in the program: how many instructions
// that do nothing its code begins with. So many times 32 threads are the most that a block of this
// kernel has. (clang takes no expression there that depends on a template's parameters.)
#pragma once

#if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__)
#define __launch_bounds__(...) GPU_BOUNDS(__VA_ARGS__, 0)
#define GPU_BOUNDS(threads, ...) __attribute__((patchable_function_entry(((threads) + 31) / 32, 0)))
#else
#define __launch_bounds__(...)
#endif

namespace gpu {

// The largest block, in threads, rounded up to whole warps; 0: the kernel does not say, or was
// compiled where it cannot.
unsigned launch_bound(const void* kernel);

}  // namespace gpu
