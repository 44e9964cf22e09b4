// The runner: runs a CUDA kernel on the host, thread for thread. The names of CUDA in
// host_dialect.h are thin layers over these functions.
//
// Each block runs on one host thread, each CUDA thread on a fiber (fiber.h) that hands over to the
// next one where it has to wait. Blocks are spread over host threads. The order of threads between
// two barriers is one of several (Options), always the same for the same options: a result that
// depends on it is a fault of the kernel.
#pragma once
#include <cstddef>
#include <cstdint>

#include "kernels/simt/host_vector_types.h"

namespace gpu {

#if defined(TWINAGE_SIMT_CHECK)
inline constexpr bool kChecking = true;  // the kernels' objects report every access: checker.h
#else
inline constexpr bool kChecking = false;
#endif

// A place in the source: of the call, when it is a default argument.
struct Place {
  const char* file;
  int line;
  static constexpr Place here(const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
    return {file, line};
  }
};

struct Launch {
  const char* operation;
  const void* kernel;        // its address, for its name
  void (*body)(void* call);  // runs the kernel for the thread that threadIdx names
  void* call;                // the kernel's arguments: a GPU's constant memory
  std::size_t call_bytes;
  dim3 grid, block;
  std::size_t dynamic_bytes;  // of shared memory
  int host_threads;
};

// Returns when all blocks are done. Throws Error when the launch asks for what no GPU offers, or
// when a fault of the kernel was found: the faults of the first block that has any.
void run(const Launch& launch);

enum class Order { forward, reversed, shuffled };

struct Options {
  Order order = Order::forward;  // of the threads of a block
  unsigned seed = 1;             // for shuffled
  // An asynchronous copy may happen at any time between its issue and the wait for it: at the wait
  // (a missing wait shows), or at the issue (a buffer that is still being read shows).
  bool eager_copies = false;
  // Tensor cores cut off what does not fit into the sum, toward zero (Fasi et al. 2021, "Numerical
  // behavior of NVIDIA tensor cores"), where everything else rounds to the nearest.
  bool truncated_sums = false;
};

// At the start what the environment says: TWINAGE_SIMT_ORDER=forward|reversed|shuffled,
// TWINAGE_SIMT_SEED=7, TWINAGE_SIMT_COPIES=late|eager, TWINAGE_SIMT_SUMS=nearest|truncated.
Options& options();

// ---- Called from kernels only, on behalf of the thread that runs.

void barrier(Place place);  // of all threads of the block

// A meeting of the lanes of a warp that `mask` names, all with the same operation and mask. Each
// brings an offer; the last lane to arrive calls complete for all, offers[i] being lane i's.
using Complete = void (*)(void** offers, std::uint32_t lanes);
void collective(std::uint32_t mask, const char* operation, void* offer, Complete complete,
                Place place);
unsigned lane();

// The array of the running block for this key; the first thread that asks creates it.
void* shared_array(const void* key, const char* name, std::size_t bytes,
                   Place place = Place::here());
void* dynamic_shared_memory();

// cp.async: to shared memory, 4, 8 or 16 bytes, of which the last `zeros` are not read but zero.
void copy_async(void* to, const void* from, std::size_t bytes, std::size_t zeros);
void commit_copies();
void wait_for_copies(unsigned all_but_last);

// The build with checks: accesses that no instrumentation sees, or should count otherwise.
enum class AccessKind { read, write, atomic };
void check_access(const void* p, std::size_t bytes, AccessKind kind);
// A checked access and copy. Fragments of matrices are left out of the report (profile.h): how a
// GPU reads them is its own affair.
enum class Counted { yes, no };
void checked_read(void* to, const void* from, std::size_t bytes, Counted counted);
void checked_write(void* to, const void* from, std::size_t bytes, Counted counted);

// A fault that ends the launch: on a GPU the kernel would be gone.
[[noreturn]] void misaligned(const void* p, std::size_t bytes);

inline __attribute__((always_inline)) void require_aligned(const void* p, std::size_t bytes) {
  if (reinterpret_cast<std::uintptr_t>(p) % bytes != 0) [[unlikely]]
    misaligned(p, bytes);
}

}  // namespace gpu
