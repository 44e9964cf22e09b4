// Engine: a device, its threads, and a workspace that fits the network planned last.
#pragma once
#include <memory>

#include "core/context.h"
#include "core/cuda_stream.h"
#include "siamese/twin_network.h"

namespace twinage {

class Engine {
 public:
  // threads 0: all processors. math: the precision of multiplications on device cuda and simt.
  // Throws Error when the device is not available or has no such arithmetic.
  Engine(DeviceChoice choice, int threads, Math math = Math::fp32);

  const Context& context() const { return context_; }
  // The same threads, on the host's own processor: read-outs and metrics, whatever the device.
  const Context& host_context() const { return host_context_; }
  // Plans the network and makes the workspace as large as it says. A network is planned once for
  // each change between training and inference, never within a training step.
  void plan(TwinNetwork& network, Index batch, Mode mode);
  Index workspace_bytes() const;
  // Where the work of device cuda waits in order; null for other devices.
  CudaStream* stream() const { return stream_.get(); }

 private:
  std::unique_ptr<CudaStream> stream_;    // of device cuda
  std::unique_ptr<Workspace> workspace_;  // its address stays when the engine is moved
  Context context_, host_context_;
};

}  // namespace twinage
