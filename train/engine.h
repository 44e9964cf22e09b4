// Engine: a device, its threads, and a workspace that fits the network planned last.
#pragma once
#include <memory>

#include "core/context.h"
#include "siamese/twin_network.h"

namespace twinage {

class Engine {
 public:
  // threads 0: all processors. Throws Error when the device is not available.
  Engine(Device device, int threads);

  const Context& context() const { return context_; }
  // Plans the network and makes the workspace as large as it says. A network is planned once for
  // each change between training and inference, never within a training step.
  void plan(TwinNetwork& network, Index batch, Mode mode);
  Index workspace_bytes() const;

 private:
  std::unique_ptr<Workspace> workspace_;  // its address stays when the engine is moved
  Context context_;
};

}  // namespace twinage
