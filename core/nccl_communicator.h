// Ranks that have a GPU each: what they hand each other stays in the GPUs' memory. Behind it is
// NVIDIA's NCCL, which is loaded when it is first needed; a machine can do without.
#pragma once
#include <memory>
#include <string>

#include "core/communicator.h"
#include "core/cuda_stream.h"

namespace twinage {

// Why NCCL cannot be used here, in one line; empty when it can. Loads it.
std::string nccl_problem();

// The ranks of `host`, each on the GPU that it has selected; every rank makes the call. Pointers
// are into its GPU's memory. A call returns at once: what it does comes after all that `stream` was
// asked for so far, and before what it is asked for after the call (of an exchange, after
// finish()). In between it is in a stream of its own, beside the other's work, and can be recorded
// with it (CudaGraph). host and stream must outlive it. adds: sums are NCCL's own,
// Communicator::adds(). Throws Error.
std::unique_ptr<Communicator> nccl_ranks(Communicator& host, CudaStream& stream, bool adds);

}  // namespace twinage
