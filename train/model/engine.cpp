#include "train/model/engine.h"

#include <algorithm>

#include "core/cuda_runtime.h"
#include "core/error.h"
#include "core/isa.h"
#include "core/output.h"
#include "core/parallel.h"
#include "core/simt_memory.h"
#include "kernels/elementwise/elementwise.h"
#include "kernels/vendor.h"
#include "train/model/rank_devices.h"

namespace twinage {

Engine::Engine(const EngineOptions& options)
    : workspace_(std::make_unique<Workspace>()),
      alone_(std::make_unique<Ranks>()),
      ranks_(options.ranks == nullptr ? alone_.get() : options.ranks) {
  const Device device = options.device.device;
  const Math math = options.math;
  require(!options.vendor || device == Device::cuda,
          "[engine] cuDNN and cuBLAS compute on device cuda, not on {}: leave out --kernels vendor",
          to_string(device));
  require(!options.vendor || math != Math::bf16,
          "[engine] cuDNN does not round float32 to bf16: use --math tf32 or --kernels own");
  require(options.exchange == Exchange::ordered || (device == Device::cuda && !ranks_->alone()),
          "[engine] NCCL adds for several processes on device cuda (mpirun -n 2 ...): leave out "
          "--exchange nccl");
  require(device != Device::cpu || math != Math::tf32,
          "[engine] device cpu has no tf32: use --math fp32 or bf16, or --device cuda");
  require_available(device);
  if (options.vendor) {
    const std::string problem = vendor::problem();
    require(problem.empty(), "[engine] --kernels vendor is not possible here: {}", problem);
  }
  if (device == Device::cuda) {
    cuda_select(gpu_of(*ranks_, options.device.gpu));
    stream_ = std::make_unique<CudaStream>();
    context_.stream = stream_->handle();
  }
  exchange_ = ranks_->communicator();
  if (!ranks_->alone() && device != Device::cpu) {
    of_device_ = ranks_of_device(*ranks_, device, stream_.get(), options.exchange);
    exchange_ = of_device_.get();
  }
  if (device == Device::cpu && math == Math::bf16 && !multiplies_bf16())
    note(
        "note: this processor does not multiply bf16 (or TWINAGE_ISA says so): the same in "
        "float32, "
        "slower than --math fp32\n");
  require(options.threads >= 0, "[engine] expected at least 0 threads, got {}", options.threads);
  context_.device = device;
  context_.math = math;
  context_.vendor = options.vendor;
  context_.threads = options.threads > 0 ? options.threads : hardware_threads();
  host_context_ = context_;
  host_context_.device = Device::cpu;
  host_context_.math = Math::fp32;
  host_context_.vendor = false;
  host_context_.stream = nullptr;
  context_.workspace = workspace_.get();
  if (device == Device::simt) simt_memory::protect_from_host(true);
}

Index Engine::plan_network(TwinNetwork& network, Index batch, Mode mode, Index beside,
                           const Shards* shards) const {
  Context ctx = context_;
  ctx.shards = shards;
  network.plan(ctx, batch, mode);
  return workspace_floats(
      std::max({network.workspace(), all_finite_workspace(context_), network.kept() + beside}));
}

void Engine::plan(TwinNetwork& network, Index batch, Mode mode, Index beside,
                  const Shards* shards) {
  workspace_->release();  // what another plan has prepared
  const Index needed = plan_network(network, batch, mode, beside, shards);
  if (needed > workspace_->capacity()) {
    *workspace_ = Workspace();  // free the old one first
    *workspace_ = Workspace(needed, context_.device);
  }
}

Index Engine::workspace_bytes() const {
  return workspace_->capacity() * static_cast<Index>(sizeof(float));
}

}  // namespace twinage
