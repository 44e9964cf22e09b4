#include "train/model/rank_devices.h"

#include <algorithm>
#include <cstring>

#include <unistd.h>

#include "core/cuda_runtime.h"
#include "core/error.h"
#include "core/nccl_communicator.h"
#include "core/output.h"
#include "core/staged_communicator.h"

namespace twinage {
namespace {

// A GPU of all machines: which machine, and where it is plugged in.
struct Plug {
  char machine[256], bus[32];
  bool operator==(const Plug& other) const {
    return std::strcmp(machine, other.machine) == 0 && std::strcmp(bus, other.bus) == 0;
  }
};

Plug plug_of(int gpu) {
  Plug plug{};
  ::gethostname(plug.machine, sizeof plug.machine - 1);
  std::strncpy(plug.bus, cuda_bus_id(gpu).c_str(), sizeof plug.bus - 1);
  return plug;
}

// Two processes on one GPU would halve each other's speed, and NCCL refuses them with fewer words.
void require_one_each(const Ranks& ranks, const Plug& mine) {
  std::vector<Plug> plugs(static_cast<std::size_t>(ranks.size()));
  plugs[static_cast<std::size_t>(ranks.rank())] = mine;
  ranks.communicator()->gather(plugs.data(), std::vector<std::size_t>(plugs.size(), sizeof(Plug)));
  for (std::size_t r = 0; r < plugs.size(); ++r)
    for (std::size_t other = 0; other < r; ++other)
      require(!(plugs[r] == plugs[other]),
              "[device] processes {} and {} have the same GPU ({}): start one process a GPU", other,
              r, plugs[r].bus);
}

}  // namespace

int gpu_of(const Ranks& ranks, int first) {
  if (ranks.alone()) return first;
  int gpu = first;
  Plug plug{};
  ranks.together([&] {
    const int count = cuda_count(), here = ranks.communicator()->rank_on_machine();
    if (count > 1 || first > 0) gpu = first + here;
    require(gpu < count,
            "[device] process {} of this machine would have cuda:{}, and there are {} GPUs: start "
            "one process a GPU",
            here, gpu, count);
    plug = plug_of(gpu);
  });
  require_one_each(ranks, plug);
  return gpu;
}

std::unique_ptr<Communicator> ranks_of_device(const Ranks& ranks, Device device, CudaStream* stream,
                                              Exchange exchange) {
  Communicator& host = *ranks.communicator();
  if (device != Device::cuda) return std::make_unique<StagedRanks>(host, device);
  std::string problem;
  ranks.together([&] {
    problem = nccl_problem();
    require(problem.empty() || exchange == Exchange::ordered,
            "[engine] --exchange nccl is not possible here: {}", problem);
  });
  std::unique_ptr<Communicator> all;
  ranks.require_same("libraries (NCCL)", problem.empty() ? "there" : "missing");
  if (problem.empty())
    ranks.together([&] { all = nccl_ranks(host, *stream, exchange == Exchange::nccl); });
  else
    note("note: gradients go by way of the host's memory, which is slow: {}\n", problem);
  if (!all) all = std::make_unique<StagedRanks>(host, device);
  return all;
}

}  // namespace twinage
