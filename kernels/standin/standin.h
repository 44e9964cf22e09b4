// A checked stand-in for the CUDA runtime, one GPU a process, and NCCL, so that device cuda, as it
// is, runs on a machine that has neither (docs/09-cuda-without-a-gpu.md). A program has it by
// linking the objects of this folder, among them core/cuda_*.cpp compiled against
// include/cuda_runtime_api.h, before the library's.
//
// Streams are queues, whose work is done as late as CUDA allows, or in an order that is drawn;
// kernels are run by kernels/simt; device memory is closed to the host, and so is page-locked
// memory while work that uses it is under way. What CUDA leaves undefined is a fault, and ends the
// process with one line that names the call, the stream and the buffer:
//
//   [standin] kernel 'normalize_images' on stream 2 reads buffer 7 (1024 bytes of the device) while
//   cudaMemcpyAsync on stream 1, which writes it, may not be done: no event orders the two
//
// Several GPUs are several processes with one each (mpirun), and NCCL's calls between them are
// pieces of work like others, done by way of memory that the processes share (nccl.cpp).
#pragma once
#include <cstdint>
#include <functional>
#include <string>

namespace standin {

// When work happens that nothing has waited for yet.
enum class When {
  late,      // not before something waits for it: a missing wait sees old data
  eager,     // as soon as what it waits for is done: an early overwrite destroys data
  shuffled,  // between the two, and streams overtake each other, as drawn from the seed
};

struct Options {
  When when = When::late;
  std::uint64_t seed = 1;
  bool blocking = false;     // the host waits for every kernel and copy: CUDA_LAUNCH_BLOCKING=1
  bool checks_order = true;  // off, a missing wait shows by what is read, as on a GPU
};

// At the start what the environment says: TWINAGE_STANDIN=late|eager|shuffled,
// TWINAGE_STANDIN_SEED=7, CUDA_LAUNCH_BLOCKING=1. (And TWINAGE_STANDIN_BUS: where the GPU is
// plugged in, the same in several processes for a GPU that they share.)
Options& options();

// Gets each fault's line instead of the end of the process; null: the end. The call that was at
// fault then returns CUDA's error, if it has one for that, or cudaErrorUnknown.
void on_fault(std::function<void(const std::string& line)> handler);

struct Counts {
  std::uint64_t kernels = 0, copies = 0, sets = 0;  // done
  std::uint64_t waiting = 0;                        // not done yet
  std::uint64_t exchanges = 0;                      // with other processes, done
  std::uint64_t recorded = 0, replayed = 0;         // nodes of graphs
};
Counts counts();

}  // namespace standin
