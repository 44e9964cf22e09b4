// Engine: a device, its threads, and a workspace that fits the network planned last.
#pragma once
#include <memory>

#include "core/context.h"
#include "core/cuda_stream.h"
#include "core/ranks.h"
#include "siamese/twin_network.h"

namespace twinage {

// How several processes add up their gradients.
enum class Exchange {
  ordered,  // along the tree of core/shards.h: the same bits for any number of them
  nccl,     // by NCCL's own all-reduce, between GPUs: fewer messages, bits that depend on how many
};
template <>
struct EnumNames<Exchange> {
  static constexpr std::string_view what = "exchange";
  static constexpr EnumName<Exchange> table[] = {
      {Exchange::ordered, "ordered"},
      {Exchange::nccl, "nccl"},
  };
};

struct EngineOptions {
  DeviceChoice device;
  int threads = 0;         // of the host; 0: all processors
  Math math = Math::fp32;  // of multiplications; tf32 on devices cuda and simt only
  bool vendor = false;     // device cuda: convolutions by cuDNN, matrix products by cuBLAS
  Ranks* ranks = nullptr;  // that work together; must outlive the engine. Null: it works alone
  Exchange exchange = Exchange::ordered;
};

class Engine {
 public:
  // Throws Error when the device is not available or cannot do what the options ask.
  explicit Engine(const EngineOptions& options);

  const Context& context() const { return context_; }
  // The same threads, on the host's own processor: read-outs and metrics, whatever the device.
  const Context& host_context() const { return host_context_; }
  // Plans the network and makes the workspace as large as it says. A network is planned once for
  // each change between training and inference, never within a training step.
  // beside: floats that something else takes between the network's forward and backward pass, such
  // as a loss. shards: of a training step, whose context has to say so, too.
  void plan(TwinNetwork& network, Index batch, Mode mode, Index beside = 0,
            const Shards* shards = nullptr);
  // The first half of it: plans the network, and returns the floats that its workspace needs.
  Index plan_network(TwinNetwork& network, Index batch, Mode mode, Index beside = 0,
                     const Shards* shards = nullptr) const;
  Index workspace_bytes() const;
  // The processes that do this work together, each with an engine of its own.
  Ranks& ranks() const { return *ranks_; }
  // By which they hand each other what lies in the device's memory; null where it works alone.
  Communicator* exchange() const { return exchange_; }
  // Where the work of device cuda waits in order; null for other devices.
  CudaStream* stream() const { return stream_.get(); }

 private:
  std::unique_ptr<CudaStream> stream_;    // of device cuda
  std::unique_ptr<Workspace> workspace_;  // its address stays when the engine is moved
  Context context_, host_context_;
  std::unique_ptr<Ranks> alone_;
  Ranks* ranks_;
  std::unique_ptr<Communicator> of_device_;  // where the ranks' own does not reach its memory
  Communicator* exchange_ = nullptr;
};

}  // namespace twinage
