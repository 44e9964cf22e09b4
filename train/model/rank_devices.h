// Several processes on devices other than the host's processor: which GPU each of them has, and how
// what lies in its memory gets to the others.
#pragma once
#include <memory>

#include "core/ranks.h"
#include "train/model/engine.h"

namespace twinage {

// The GPU of this process: one a process, counted from `first` on each machine; where it sees a
// single one (a launcher may have shared them out) that one. All ranks make the call. Throws Error
// on all of them when there are fewer GPUs than processes.
int gpu_of(const Ranks& ranks, int first);

// A communicator of tensors on `device`: NCCL, or without it the ranks' own, by way of the host's
// memory, which is said. stream: of device cuda. Throws Error on all ranks.
std::unique_ptr<Communicator> ranks_of_device(const Ranks& ranks, Device device, CudaStream* stream,
                                              Exchange exchange);

}  // namespace twinage
