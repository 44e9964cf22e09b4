#include "train/engine.h"

#include "core/error.h"
#include "core/parallel.h"
#include "core/simt_memory.h"

namespace twinage {

Engine::Engine(Device device, int threads) : workspace_(std::make_unique<Workspace>()) {
  require_available(device);
  require(threads >= 0, "[engine] expected at least 0 threads, got {}", threads);
  context_.device = device;
  context_.threads = threads > 0 ? threads : hardware_threads();
  host_context_ = context_;
  host_context_.device = Device::cpu;
  context_.workspace = workspace_.get();
  if (device == Device::simt) simt_memory::protect_from_host(true);
}

void Engine::plan(TwinNetwork& network, Index batch, Mode mode) {
  network.plan(context_, batch, mode);
  if (network.workspace() > workspace_->capacity()) {
    *workspace_ = Workspace();  // free the old one first
    *workspace_ = Workspace(network.workspace(), context_.device);
  }
}

Index Engine::workspace_bytes() const {
  return workspace_->capacity() * static_cast<Index>(sizeof(float));
}

}  // namespace twinage
